//! Hashes of what a client watches. Most watch nothing: with a heap, nothing is then kept for them.

#[cfg(feature = "alloc")]
type List<const N: usize> = alloc::vec::Vec<u64>;
#[cfg(not(feature = "alloc"))]
type List<const N: usize> = heapless::Vec<u64, N>;

/// At most `N` hashes. A collision means a superfluous notification, nothing worse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hashes<const N: usize>(List<N>);

/// There is no room, or no memory, for another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoRoom;

impl<const N: usize> Hashes<N> {
    pub(crate) const fn new() -> Self {
        Hashes(List::<N>::new())
    }

    pub(crate) fn push(&mut self, hash: u64) -> Result<(), NoRoom> {
        #[cfg(feature = "alloc")]
        {
            if self.0.len() >= N || self.0.try_reserve(1).is_err() {
                return Err(NoRoom);
            }
            self.0.push(hash);
            Ok(())
        }
        #[cfg(not(feature = "alloc"))]
        self.0.push(hash).map_err(|_| NoRoom)
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
        let mut hashes = Hashes::<2>::new();
        assert!(hashes.push(1).is_ok() && hashes.push(2).is_ok() && hashes.push(3).is_err());
        assert!(hashes.iter().eq([1, 2]));
        hashes.remove(1);
        assert!(hashes.len() == 1 && hashes.contains(2) && !hashes.contains(1));
        assert!(hashes.push(3).is_ok());
    }
}
