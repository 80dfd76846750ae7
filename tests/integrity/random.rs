//! Numbers and bytes that a seed determines.

use kettle::{thread, time};
use std::time::Duration;

/// xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled").
pub(crate) struct Random {
    state: u64,
    /// Of the last number, what `fill` has not used.
    rest: [u8; 8],
    left: usize,
}

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1, rest: [0; 8], left: 0 }
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// The next bytes of the stream: the same ones, in whatever pieces they are asked for.
    pub(crate) fn fill(&mut self, mut bytes: &mut [u8]) {
        while !bytes.is_empty() {
            if self.left == 0 {
                self.rest = self.next().to_le_bytes();
                self.left = 8;
            }
            let len = self.left.min(bytes.len());
            let (now, later) = bytes.split_at_mut(len);
            now.copy_from_slice(&self.rest[8 - self.left..][..len]);
            self.left -= len;
            bytes = later;
        }
    }

    /// Of a piece: all sizes between a byte and 64 KiB, each magnitude as often as another.
    pub(crate) fn length(&mut self) -> u64 {
        let magnitude = self.below(17);
        1 + self.below(1 << magnitude)
    }

    /// Now and then lets others go first, or more.
    pub(crate) fn dawdle(&mut self) {
        match self.below(64) {
            0 => time::sleep(Duration::from_micros(self.below(2000))),
            1..8 => thread::yield_now(),
            _ => {}
        }
    }
}
