//! Names of tiles and bundles.

use std::fmt;

use crate::LedgerError;

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Entries, each behind its length.
    Entries,
    /// Hashes of full subtrees of 256^level leaves; level 0 holds leaf hashes. From 0 to 5.
    Hashes(u8),
}

/// A tile's or bundle's name: `tile/<L>/<N>[.p/<W>]` or `tile/entries/<N>[.p/<W>]`, without a leading `/`
/// (c2sp.org/tlog-tiles). N is written in groups of three digits, all but the last behind an `x`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TilePath {
    level: Level,
    n: u64,
    width: u16,
}

impl TilePath {
    /// The highest level that a log of [`MAX_SIZE`](super::MAX_SIZE) reaches.
    pub const TOP: u8 = 5;

    /// The `n`-th tile of a level, `width` (1 to 256) hashes or entries wide.
    ///
    /// # Errors
    /// A level, number or width that no log of at most [`MAX_SIZE`](super::MAX_SIZE) entries has.
    pub fn new(level: Level, n: u64, width: u16) -> Result<Self, LedgerError> {
        let l = match level {
            Level::Entries => 0,
            Level::Hashes(l) => l,
        };
        let path = Self { level, n, width };
        let fits = l <= Self::TOP
            && (1..=256).contains(&width)
            && n <= super::MAX_SIZE >> (8 * (u32::from(l) + 1));
        if fits {
            Ok(path)
        } else {
            Err(LedgerError::range("a tile's level, number or width"))
        }
    }

    /// What it holds.
    #[must_use]
    pub fn level(&self) -> Level {
        self.level
    }

    /// Its number within its level, from 0.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.n
    }

    /// Hashes or entries in it, 1 to 256.
    #[must_use]
    pub fn width(&self) -> u16 {
        self.width
    }

    /// Entries that a log has at least in which there is such a tile or bundle.
    #[must_use]
    pub fn least_size(&self) -> u64 {
        let level = match self.level {
            Level::Entries => 0,
            Level::Hashes(l) => u32::from(l),
        };
        let hashes = u128::from(self.n) * 256 + u128::from(self.width);
        u64::try_from(hashes << (8 * level)).unwrap_or(u64::MAX)
    }

    /// Whether it is full, and so never changes.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.width == 256
    }

    /// The full tile that a partial one grows into.
    #[must_use]
    pub fn full(&self) -> Self {
        Self {
            width: 256,
            ..*self
        }
    }

    /// Reads a name as [`Display`](fmt::Display) writes it; any other spelling is refused.
    ///
    /// # Errors
    /// [`LedgerError::Range`].
    pub fn parse(text: &str) -> Result<Self, LedgerError> {
        let parsed = || {
            let (level, rest) = text.strip_prefix("tile/")?.split_once('/')?;
            let level = match level {
                "entries" => Level::Entries,
                l => Level::Hashes(l.parse().ok()?),
            };
            let (number, width) = match rest.split_once(".p/") {
                Some((number, width)) => (number, width.parse().ok().filter(|w| *w < 256)?),
                None => (rest, 256),
            };
            let mut n = 0u64;
            for group in number.split('/') {
                let digits = group.strip_prefix('x').unwrap_or(group);
                let value = digits.parse::<u16>().ok().filter(|v| *v < 1000)?;
                n = n.checked_mul(1000)?.checked_add(u64::from(value))?;
            }
            Self::new(level, n, width).ok()
        };
        parsed()
            .filter(|p| p.to_string() == text)
            .ok_or_else(|| LedgerError::range("a tile's path"))
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.level {
            Level::Entries => f.write_str("tile/entries/")?,
            Level::Hashes(l) => write!(f, "tile/{l}/")?,
        }
        let mut groups = vec![self.n % 1000];
        let mut n = self.n / 1000;
        while n > 0 {
            groups.push(n % 1000);
            n /= 1000;
        }
        for group in groups.iter().skip(1).rev() {
            write!(f, "x{group:03}/")?;
        }
        write!(f, "{:03}", groups[0])?;
        if self.is_full() {
            Ok(())
        } else {
            write!(f, ".p/{}", self.width)
        }
    }
}
