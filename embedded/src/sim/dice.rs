//! Random numbers that are the same every time.

/// Random numbers that a seed determines (`SplitMix64`): the same on every machine.
///
/// ```
/// use mtsession_embedded::sim::Dice;
///
/// let (mut one, mut two) = (Dice::new(7), Dice::new(7));
/// assert_eq!(one.next(), two.next());
/// assert!(one.below(6) < 6);
/// ```
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice with this seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ z >> 31
    }

    /// A number below `n`, which is not 0.
    pub const fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// The same as an `i32`.
    pub const fn small(&mut self, n: usize) -> i32 {
        self.below(n) as i32
    }

    /// `true` in so many of 100 cases.
    pub const fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}
