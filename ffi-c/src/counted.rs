//! A value with several owners, whose allocation may fail: `Arc` would end the program.

use std::alloc::{Layout, alloc, dealloc};
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering, fence};

use crate::guard::Done;
use crate::trouble::Trouble;

struct Inner<T> {
    owners: AtomicUsize,
    value: T,
}

/// One owner's share of a value; the last one drops it.
#[derive(Debug)]
pub(crate) struct Counted<T>(NonNull<Inner<T>>);

// SAFETY: owners on several threads share the value, and any of them may drop it.
unsafe impl<T: Send + Sync> Send for Counted<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Counted<T> {}

impl<T> Counted<T> {
    /// Puts a value on the heap.
    pub(crate) fn create(value: T) -> Done<Self> {
        // SAFETY: it is never empty: it has a count.
        let place = unsafe { alloc(Layout::new::<Inner<T>>()) }.cast::<Inner<T>>();
        let place = NonNull::new(place).ok_or(Trouble::NO_MEMORY)?;
        // SAFETY: it was just allocated for exactly this.
        unsafe { place.write(Inner { owners: AtomicUsize::new(1), value }) };
        Ok(Counted(place))
    }

    /// Another owner.
    pub(crate) fn share(&self) -> Self {
        // SAFETY: this owner keeps it alive. As many owners as would overflow the count do not fit into memory.
        unsafe { self.0.as_ref() }.owners.fetch_add(1, Ordering::Relaxed);
        Counted(self.0)
    }
}

impl<T> Deref for Counted<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: this owner keeps it alive.
        unsafe { &self.0.as_ref().value }
    }
}

impl<T> Drop for Counted<T> {
    fn drop(&mut self) {
        // SAFETY: this owner kept it alive until now.
        if unsafe { self.0.as_ref() }.owners.fetch_sub(1, Ordering::Release) != 1 {
            return;
        }
        // What other owners did comes before the end.
        fence(Ordering::Acquire);
        // SAFETY: this was the last owner.
        unsafe {
            self.0.drop_in_place();
            dealloc(self.0.as_ptr().cast(), Layout::new::<Inner<T>>());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn the_last_owner_drops_it() {
        let seen = Arc::new(());
        let first = Counted::create(seen.clone()).unwrap();
        let second = first.share();
        let threads = [first, second].map(|owner| {
            std::thread::spawn(move || {
                let third = owner.share();
                assert!(Arc::strong_count(&third) >= 2);
            })
        });
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(Arc::strong_count(&seen), 1);
    }
}
