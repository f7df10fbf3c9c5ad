//! How many connections come from where.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Connections by address.
#[derive(Clone)]
pub(super) struct Neighbours(Arc<Inner>);

struct Inner {
    most: usize,
    open: Mutex<HashMap<IpAddr, usize>>,
}

/// One connection, counted until it is dropped.
pub(super) struct Neighbour {
    all: Neighbours,
    address: IpAddr,
}

impl Neighbours {
    pub(super) fn new(most: usize) -> Self {
        Self(Arc::new(Inner { most, open: Mutex::new(HashMap::new()) }))
    }

    /// `None` if the address holds as many as it may.
    pub(super) fn enter(&self, address: IpAddr) -> Option<Neighbour> {
        // One machine must not count twice because it is written in two ways.
        let address = address.to_canonical();
        let mut open = self.open();
        let held = open.entry(address).or_default();
        if *held >= self.0.most {
            return None;
        }
        *held += 1;
        Some(Neighbour { all: self.clone(), address })
    }

    fn open(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        // Numbers are whole even if a thread died while holding the lock.
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        let mut open = self.all.open();
        let Some(held) = open.get_mut(&self.address) else { return };
        *held -= 1;
        // Addresses that left must not fill the memory.
        if *held == 0 {
            open.remove(&self.address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_as_many_as_it_may_and_gets_its_places_back() {
        let neighbours = Neighbours::new(2);
        let address: IpAddr = "192.0.2.1".parse().expect("an address");
        let first = neighbours.enter(address).expect("a first");
        let _second = neighbours.enter("::ffff:192.0.2.1".parse().expect("the same address")).expect("a second");
        assert!(neighbours.enter(address).is_none());
        assert!(neighbours.enter("192.0.2.2".parse().expect("another")).is_some());
        drop(first);
        assert!(neighbours.enter(address).is_some());
        assert_eq!(neighbours.open().len(), 1, "who left is forgotten");
    }
}
