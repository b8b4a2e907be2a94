//! What a client watches, as hashes. Most watch nothing or little: with a heap, nothing more is kept of it.

use crate::json::Full;

#[cfg(feature = "alloc")]
type List<const N: usize> = alloc::vec::Vec<u64>;
#[cfg(not(feature = "alloc"))]
type List<const N: usize> = heapless::Vec<u64, N>;

/// At most `N` hashes. A collision means a superfluous notification, nothing worse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Watched<const N: usize>(List<N>);

impl<const N: usize> Watched<N> {
    pub(crate) const fn new() -> Self {
        Watched(List::<N>::new())
    }

    /// Takes one more, if there are fewer than `limit`.
    pub(crate) fn push(&mut self, hash: u64, limit: usize) -> Result<(), Full> {
        if self.0.len() >= limit.min(N) {
            return Err(Full);
        }
        #[cfg(feature = "alloc")]
        {
            self.0.try_reserve(1).map_err(|_| Full)?;
            self.0.push(hash);
            Ok(())
        }
        #[cfg(not(feature = "alloc"))]
        self.0.push(hash).map_err(|_| Full)
    }

    /// Takes one out.
    pub(crate) fn remove(&mut self, hash: u64) {
        self.0.retain(|other| *other != hash);
    }

    pub(crate) fn contains(&self, hash: u64) -> bool {
        self.0.contains(&hash)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = u64> {
        self.0.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_an_end() {
        let mut hashes = Watched::<2>::new();
        assert!(hashes.push(1, 1).is_ok() && hashes.push(2, 1).is_err());
        assert!(hashes.push(2, 9).is_ok() && hashes.push(3, 9).is_err());
        assert!(hashes.iter().eq([1, 2]));
        hashes.remove(1);
        assert!(hashes.len() == 1 && hashes.contains(2) && !hashes.contains(1));
        assert!(hashes.push(3, 9).is_ok());
    }
}
