//! Category codes with their weights. `hospital.toml` lists the same codes.

type Weighted = [(&'static str, u32)];

pub(super) const SEXES: &Weighted = &[("F", 5_120), ("M", 4_840), ("O", 40)];

/// Per 10,000; R12 is the region that is suppressed at 5,000 patients.
pub(super) const REGIONS: &Weighted = &[
    ("R01", 2_400),
    ("R02", 1_700),
    ("R03", 1_300),
    ("R04", 1_050),
    ("R05", 900),
    ("R06", 750),
    ("R07", 600),
    ("R08", 500),
    ("R09", 400),
    ("R10", 288),
    ("R11", 100),
    ("R12", 12),
];

pub(super) const DIABETIC: &Weighted = &[
    ("E11.2", 12),
    ("E11.4", 10),
    ("E11.5", 9),
    ("E11.7", 14),
    ("E11.9", 45),
    ("E10.9", 10),
];

pub(super) const HYPERTENSIVE: &Weighted = &[
    ("I10.0", 60),
    ("I11.0", 14),
    ("I11.9", 12),
    ("I12.0", 6),
    ("I13.2", 3),
];

pub(super) const CORONARY: &Weighted = &[
    ("I20.0", 12),
    ("I20.8", 8),
    ("I21.0", 9),
    ("I21.1", 8),
    ("I21.4", 24),
    ("I25.1", 26),
    ("I25.5", 5),
];

pub(super) const GENERAL: &Weighted = &[
    ("A09.9", 22),
    ("A41.9", 14),
    ("C34.9", 12),
    ("C50.9", 16),
    ("C61", 11),
    ("E78.0", 8),
    ("E78.5", 10),
    ("F10.0", 18),
    ("G40.9", 9),
    ("H25.9", 10),
    ("I26.9", 7),
    ("I48.0", 20),
    ("I50.1", 26),
    ("I63.9", 18),
    ("I70.2", 12),
    ("J18.9", 30),
    ("J44.1", 22),
    ("K35.8", 12),
    ("K40.9", 15),
    ("K80.2", 20),
    ("M16.1", 20),
    ("M17.1", 20),
    ("N18.3", 9),
    ("N39.0", 18),
];
