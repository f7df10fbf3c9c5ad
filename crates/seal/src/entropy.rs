//! Unpredictable bytes.

use model::Entropy;
use ring::rand::{SecureRandom, SystemRandom};

/// The operating system's random number generator.
#[derive(Clone, Debug)]
pub struct SystemEntropy(SystemRandom);

impl SystemEntropy {
    /// The operating system's generator.
    pub fn new() -> Self {
        Self(SystemRandom::new())
    }
}

impl Default for SystemEntropy {
    fn default() -> Self {
        Self::new()
    }
}

impl Entropy for SystemEntropy {
    /// # Panics
    /// If the operating system has no randomness: nothing that needs a key or a token may go on without.
    fn fill(&self, bytes: &mut [u8]) {
        self.0.fill(bytes).expect("the operating system always gives random bytes once it has started");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_draws_differ() {
        let mut draws = [[0_u8; 32]; 2];
        for draw in &mut draws {
            SystemEntropy::new().fill(draw);
        }
        assert_ne!(draws[0], draws[1]);
    }
}
