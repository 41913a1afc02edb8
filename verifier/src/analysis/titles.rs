//! The titles by which others find a derived table: to draw it, say.

/// Of the points of survival curves.
pub const SURVIVAL: &str = "Survival";
/// Of the counts of an attrition table.
pub const ATTRITION: &str = "Attrition";
/// Of means with their intervals.
pub const MEANS: &str = "Means";
/// Of proportions with their intervals.
pub const PROPORTIONS: &str = "Proportions";
