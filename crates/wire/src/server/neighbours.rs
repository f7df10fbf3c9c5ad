//! How much whoever holds at a time: connections of an address, connections and calls of a member.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is held, by who holds it.
pub(super) struct Shares<K>(Arc<Inner<K>>);

struct Inner<K> {
    most: usize,
    held: Mutex<HashMap<K, usize>>,
}

/// One of them, counted until it is dropped.
pub(super) struct Share<K: Hash + Eq> {
    all: Shares<K>,
    whose: K,
}

impl<K> Clone for Shares<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Hash + Eq + Clone> Shares<K> {
    pub(super) fn new(most: usize) -> Self {
        Self(Arc::new(Inner { most, held: Mutex::new(HashMap::new()) }))
    }

    /// `None` if `whose` holds as many as one may.
    pub(super) fn take(&self, whose: K) -> Option<Share<K>> {
        let mut all = self.held();
        let held = all.entry(whose.clone()).or_default();
        if *held >= self.0.most {
            return None;
        }
        *held += 1;
        drop(all);
        Some(Share { all: self.clone(), whose })
    }
}

impl<K> Shares<K> {
    fn held(&self) -> MutexGuard<'_, HashMap<K, usize>> {
        // Numbers are whole even if a thread died while holding the lock.
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq> Drop for Share<K> {
    fn drop(&mut self) {
        let mut all = self.all.held();
        let Some(held) = all.get_mut(&self.whose) else { return };
        *held -= 1;
        // Whoever left must not fill the memory.
        if *held == 0 {
            all.remove(&self.whose);
        }
    }
}

/// What one machine can call itself counts once: an IPv4 address written in two ways, and the 2⁶⁴ addresses that a
/// network of IPv6 gives each of its machines to choose from.
pub(super) fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        neighbourhood(text.parse().expect("an address"))
    }

    #[test]
    fn an_address_holds_as_many_as_it_may_and_gets_its_places_back() {
        let shares = Shares::new(2);
        let first = shares.take(address("192.0.2.1")).expect("a first");
        let _second = shares.take(address("::ffff:192.0.2.1")).expect("the same address");
        assert!(shares.take(address("192.0.2.1")).is_none());
        assert!(shares.take(address("192.0.2.2")).is_some());
        drop(first);
        assert!(shares.take(address("192.0.2.1")).is_some());
        assert_eq!(shares.held().len(), 1, "who left is forgotten");
    }

    #[test]
    fn a_machine_cannot_be_many_by_choosing_addresses() {
        assert_eq!(address("2001:db8::1"), address("2001:db8::ffff:1:2:3"));
        assert_ne!(address("2001:db8::1"), address("2001:db8:0:1::1"));
        assert_ne!(address("::1"), address("::2"));
    }
}
