//! Handles, and the border every call crosses: pointers, kinds, threads and panics are checked here and nowhere else.

use std::alloc::{Layout, alloc, dealloc};
use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use crate::abi::{mcpgraft_event, mcpgraft_status, mcpgraft_str};
use crate::trouble::{Detail, Trouble};

/// What a function inside the border comes to.
pub(crate) type Done<T = ()> = Result<T, Trouble>;

/// What a handle can hold.
pub(crate) trait Held {
    /// First four bytes of such a handle; no other memory is likely to have them.
    const MAGIC: u32;
}

const IDLE: u8 = 0;
const BUSY: u8 = 1;
const POISONED: u8 = 2;

/// What all handles begin with.
#[repr(C)]
struct Head {
    magic: AtomicU32,
    state: AtomicU8,
    detail: UnsafeCell<Detail>,
}

/// A handle: what C holds a pointer to.
#[repr(C)]
pub(crate) struct Handle<T> {
    head: Head,
    held: UnsafeCell<T>,
}

impl<T: Held> Handle<T> {
    /// Puts a value on the heap for C.
    pub(crate) fn create(held: T) -> Done<*mut Handle<T>> {
        let layout = Layout::new::<Handle<T>>();
        // SAFETY: a handle is never empty: it has a head.
        let place = unsafe { alloc(layout) }.cast::<Handle<T>>();
        if place.is_null() {
            return Err(Trouble::NO_MEMORY);
        }
        let head = Head {
            magic: AtomicU32::new(T::MAGIC),
            state: AtomicU8::new(IDLE),
            detail: UnsafeCell::new(Detail::EMPTY),
        };
        // SAFETY: the place was just allocated for exactly this.
        unsafe { place.write(Handle { head, held: UnsafeCell::new(held) }) };
        Ok(place)
    }

    /// Ends a handle that [`create`](Handle::create) made.
    ///
    /// # Safety
    /// Nobody uses it now or later.
    unsafe fn destroy(handle: *mut Handle<T>) {
        // SAFETY: the caller's promise.
        unsafe {
            (*handle).head.magic.store(0, Ordering::Release);
            handle.drop_in_place();
            dealloc(handle.cast(), Layout::new::<Handle<T>>());
        }
    }
}

/// The magic number of what may be a handle.
///
/// # Safety
/// Not NULL, and at least four bytes can be read there.
unsafe fn magic(pointer: *const c_void) -> Option<u32> {
    let head = pointer.cast::<Head>();
    // SAFETY: the caller's promise; the magic number comes first.
    head.is_aligned().then(|| unsafe { (*head).magic.load(Ordering::Acquire) })
}

/// The handle behind a pointer of C, for functions that only read what never changes.
///
/// # Safety
/// A pointer this library gave out and that was not freed, or NULL, or at least readable memory.
pub(crate) unsafe fn shared<'h, T: Held>(pointer: *const c_void) -> Result<&'h T, mcpgraft_status> {
    if pointer.is_null() {
        return Err(mcpgraft_status::MCPGRAFT_NULL);
    }
    // SAFETY: not NULL, and readable by the caller's promise.
    if unsafe { magic(pointer) } != Some(T::MAGIC) {
        return Err(mcpgraft_status::MCPGRAFT_WRONG_HANDLE);
    }
    // SAFETY: the magic number says what it is.
    let handle = unsafe { &*pointer.cast::<Handle<T>>() };
    if handle.head.state.load(Ordering::Acquire) == POISONED {
        return Err(mcpgraft_status::MCPGRAFT_POISONED);
    }
    // SAFETY: what is read there never changes.
    Ok(unsafe { &*handle.held.get() })
}

/// Whether a pointer is a handle of this kind.
///
/// # Safety
/// As [`shared`].
pub(crate) unsafe fn is<T: Held>(pointer: *const c_void) -> bool {
    // SAFETY: the caller's promise.
    !pointer.is_null() && unsafe { magic(pointer) } == Some(T::MAGIC)
}

/// Runs `work` on what a handle holds. Nobody else is inside, and what goes wrong becomes the status and the detail.
///
/// # Safety
/// As [`shared`], and nobody uses such a handle with [`shared`].
pub(crate) unsafe fn enter<T: Held>(
    pointer: *mut c_void,
    work: impl FnOnce(&mut T) -> Done,
) -> mcpgraft_status {
    // SAFETY: the caller's promise; only one thread is inside.
    unsafe { inside::<T>(pointer, |held| work(&mut *held)) }
}

/// The same for handles that others may read meanwhile, with [`shared`].
///
/// # Safety
/// As [`shared`].
pub(crate) unsafe fn enter_shared<T: Held>(
    pointer: *mut c_void,
    work: impl FnOnce(&T) -> Done,
) -> mcpgraft_status {
    // SAFETY: the caller's promise; nobody has it to change it.
    unsafe { inside::<T>(pointer, |held| work(&*held)) }
}

/// # Safety
/// As [`shared`].
unsafe fn inside<T: Held>(pointer: *mut c_void, work: impl FnOnce(*mut T) -> Done) -> mcpgraft_status {
    // SAFETY: the caller's promise; only kinds that are asked for are let in.
    unsafe { cross(pointer, &[T::MAGIC], |_| work((*pointer.cast::<Handle<T>>()).held.get())) }
}

/// Runs work inside a handle of one of these kinds; it gets which.
///
/// # Safety
/// As [`shared`].
pub(crate) unsafe fn cross(
    pointer: *mut c_void,
    kinds: &[u32],
    work: impl FnOnce(u32) -> Done,
) -> mcpgraft_status {
    let mut work = Some(work);
    let mut once = |magic| work.take().map_or(Ok(()), |work| work(magic));
    // SAFETY: the caller's promise.
    unsafe { border(pointer, kinds, &mut once) }
}

/// What a handle holds, to whoever is inside.
///
/// # Safety
/// Inside [`cross`], with the magic number of this kind.
pub(crate) unsafe fn held<'h, T: Held>(pointer: *mut c_void) -> &'h mut T {
    // SAFETY: the caller's promise.
    unsafe { &mut *(*pointer.cast::<Handle<T>>()).held.get() }
}

/// The border itself: there is one of it, so that it costs its size once.
///
/// # Safety
/// As [`shared`].
unsafe fn border(pointer: *mut c_void, kinds: &[u32], work: &mut dyn FnMut(u32) -> Done) -> mcpgraft_status {
    use mcpgraft_status::*;
    if pointer.is_null() {
        return MCPGRAFT_NULL;
    }
    // SAFETY: not NULL, and readable by the caller's promise.
    let Some(magic) = unsafe { magic(pointer) }.filter(|magic| kinds.contains(magic)) else {
        return MCPGRAFT_WRONG_HANDLE;
    };
    // SAFETY: the magic number says that it is a handle, and every handle begins with its head.
    let head = unsafe { &*pointer.cast::<Head>() };
    match head.state.compare_exchange(IDLE, BUSY, Ordering::Acquire, Ordering::Relaxed) {
        Ok(_) => {}
        Err(POISONED) => return MCPGRAFT_POISONED,
        Err(_) => return MCPGRAFT_BUSY,
    }
    // SAFETY: only the thread that made the state BUSY is here.
    let detail = unsafe { &mut *head.detail.get() };
    let (state, status) = match catch_unwind(AssertUnwindSafe(|| work(magic))) {
        Ok(Ok(())) => (IDLE, MCPGRAFT_OK),
        Ok(Err(trouble)) => {
            detail.set(&trouble);
            (IDLE, trouble.status())
        }
        Err(_) => {
            detail.set(&"an error inside mcpgraft: please report it; this handle can only be freed");
            (POISONED, MCPGRAFT_PANIC)
        }
    };
    head.state.store(state, Ordering::Release);
    status
}

/// Runs work without a handle.
pub(crate) fn alone(work: impl FnOnce() -> Done) -> mcpgraft_status {
    let mut work = Some(work);
    guarded(&mut || work.take().map_or(Ok(()), |work| work()))
}

fn guarded(work: &mut dyn FnMut() -> Done) -> mcpgraft_status {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => mcpgraft_status::MCPGRAFT_OK,
        Ok(Err(trouble)) => trouble.status(),
        Err(_) => mcpgraft_status::MCPGRAFT_PANIC,
    }
}

/// The text of the last trouble of any handle.
///
/// # Safety
/// As [`shared`], for a handle of any kind that no other thread uses.
pub(crate) unsafe fn detail(pointer: *const c_void, kinds: &[u32]) -> mcpgraft_str {
    // SAFETY: the caller's promise.
    if pointer.is_null() || !unsafe { magic(pointer) }.is_some_and(|magic| kinds.contains(&magic)) {
        return mcpgraft_str::NONE;
    }
    // SAFETY: the magic number says that there is a head; nobody else uses it.
    mcpgraft_str::of(unsafe { &*(*pointer.cast::<Head>()).detail.get() }.bytes())
}

/// Ends a handle if it is of this kind.
///
/// # Safety
/// As [`shared`], and the handle is not used again.
pub(crate) unsafe fn end<T: Held>(pointer: *mut c_void) -> bool {
    // SAFETY: the caller's promise.
    let mine = unsafe { is::<T>(pointer) };
    if mine {
        // SAFETY: the magic number says what it is, and the caller gives it up.
        unsafe { Handle::<T>::destroy(pointer.cast()) };
    }
    mine
}

/// The bytes of a text of C. They live for as long as C lets them: no longer than the call, or as the header says.
///
/// # Safety
/// `len` bytes can be read at `ptr`, unless it is NULL.
pub(crate) unsafe fn bytes<'c>(name: &'static str, text: mcpgraft_str) -> Done<&'c [u8]> {
    if text.ptr.is_null() {
        return if text.len == 0 { Ok(&[]) } else { Err(Trouble::Null(name)) };
    }
    if text.len > isize::MAX as usize {
        return Err(Trouble::argument("a length is greater than any object can be"));
    }
    // SAFETY: the caller's promise.
    Ok(unsafe { std::slice::from_raw_parts(text.ptr.cast(), text.len) })
}

/// The same, of a text that has to be UTF-8.
///
/// # Safety
/// As [`bytes`].
pub(crate) unsafe fn utf8<'c>(name: &'static str, text: mcpgraft_str) -> Done<&'c str> {
    // SAFETY: the caller's promise.
    std::str::from_utf8(unsafe { bytes(name, text) }?).map_err(|_| Trouble::Utf8(name))
}

/// The same, of a text that may be absent.
///
/// # Safety
/// As [`bytes`].
pub(crate) unsafe fn maybe<'c>(name: &'static str, text: mcpgraft_str) -> Done<Option<&'c str>> {
    if text.ptr.is_null() && text.len == 0 {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    unsafe { utf8(name, text) }.map(Some)
}

/// A place C wants something written to.
///
/// # Safety
/// NULL, or a value can be written there.
pub(crate) unsafe fn place<T>(name: &'static str, pointer: *mut T) -> Done<Place<T>> {
    if pointer.is_null() { Err(Trouble::Null(name)) } else { Ok(Place(pointer)) }
}

/// A place that [`place`] has seen.
pub(crate) struct Place<T>(*mut T);

impl<T> Place<T> {
    /// Writes to it; the last thing a function does.
    pub(crate) fn put(self, value: T) {
        // SAFETY: promised when it was made.
        unsafe { self.0.write(value) };
    }
}

impl Place<u8> {
    /// Writes bytes to it, where there is room for as many.
    pub(crate) fn all<const N: usize>(self, bytes: [u8; N]) {
        // SAFETY: promised when it was made.
        unsafe { self.0.cast::<[u8; N]>().write_unaligned(bytes) };
    }
}

/// The size a structure says it has, if it can be one of this kind.
///
/// # Safety
/// NULL, or a `size_t` can be read there.
pub(crate) unsafe fn sized<T>(name: &'static str, pointer: *const T) -> Done<usize> {
    if pointer.is_null() {
        return Err(Trouble::Null(name));
    }
    // SAFETY: the caller's promise; every such structure begins with its size.
    let size = unsafe { pointer.cast::<usize>().read_unaligned() };
    // This is the first version: there are no shorter ones yet. Longer ones are of a later header.
    if (size_of::<T>()..=1 << 16).contains(&size) && pointer.is_aligned() {
        Ok(size)
    } else {
        Err(Trouble::Plain(
            mcpgraft_status::MCPGRAFT_BAD_STRUCT,
            "struct_size is not the size of this structure",
        ))
    }
}

/// Where a structure that begins with its size goes.
pub(crate) struct SizedPlace<T> {
    pointer: *mut T,
    size: usize,
}

/// A structure of C that can be written.
///
/// # Safety
/// NULL, or such a structure with its `struct_size` set.
pub(crate) unsafe fn sized_place<T>(name: &'static str, pointer: *mut T) -> Done<SizedPlace<T>> {
    // SAFETY: the caller's promise.
    let size = unsafe { sized(name, pointer) }?;
    Ok(SizedPlace { pointer, size })
}

/// The same, of an event.
///
/// # Safety
/// As [`sized_place`].
pub(crate) unsafe fn event_place(pointer: *mut mcpgraft_event) -> Done<SizedPlace<mcpgraft_event>> {
    // SAFETY: the caller's promise.
    unsafe { sized_place("event", pointer) }
}

impl<T> SizedPlace<T> {
    /// Writes the structure, but not its size; what a later header has beyond it becomes zero.
    #[inline(never)] // large, and at the end of most functions
    pub(crate) fn put(self, value: &T) {
        let (first, own) = (size_of::<usize>(), size_of::<T>());
        // SAFETY: promised when it was made: `size` bytes can be written, and they are at least our own.
        unsafe {
            let (from, to) = ((&raw const *value).cast::<u8>(), self.pointer.cast::<u8>());
            to.add(first).copy_from_nonoverlapping(from.add(first), own - first);
            to.add(own).write_bytes(0, self.size - own);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Thing(u32);

    impl Held for Thing {
        const MAGIC: u32 = 0x7465_7374;
    }

    struct Other;

    impl Held for Other {
        const MAGIC: u32 = 1;
    }

    #[test]
    fn a_panic_poisons_its_handle() {
        let handle = Handle::create(Thing(1)).unwrap().cast::<c_void>();
        unsafe {
            assert_eq!(enter::<Thing>(handle, |_| panic!("on purpose")), mcpgraft_status::MCPGRAFT_PANIC);
            assert_eq!(enter::<Thing>(handle, |_| Ok(())), mcpgraft_status::MCPGRAFT_POISONED);
            assert!(matches!(shared::<Thing>(handle), Err(mcpgraft_status::MCPGRAFT_POISONED)));
            assert!(detail(handle, &[Thing::MAGIC]).len > 0);
            assert!(end::<Thing>(handle));
        }
        assert_eq!(alone(|| panic!("on purpose")), mcpgraft_status::MCPGRAFT_PANIC);
    }

    #[test]
    fn only_one_call_is_inside_a_handle() {
        let handle = Handle::create(Thing(1)).unwrap().cast::<c_void>();
        let address = handle as usize;
        unsafe {
            let status = enter::<Thing>(handle, |thing| {
                thing.0 += 1;
                let again = enter::<Thing>(address as *mut c_void, |_| Ok(()));
                assert_eq!(again, mcpgraft_status::MCPGRAFT_BUSY);
                Err(Trouble::argument("thing"))
            });
            assert_eq!(status, mcpgraft_status::MCPGRAFT_BAD_ARGUMENT);
            assert_eq!(enter::<Other>(handle, |_| Ok(())), mcpgraft_status::MCPGRAFT_WRONG_HANDLE);
            assert_eq!(
                enter::<Thing>(handle.byte_add(1), |_| Ok(())),
                mcpgraft_status::MCPGRAFT_WRONG_HANDLE
            );
            assert_eq!(shared::<Thing>(handle).unwrap().0, 2);
            assert!(!end::<Other>(handle));
            assert!(end::<Thing>(handle));
        }
    }
}
