//! Colours and dashes that stay apart for the colour-blind and in grey print.

use plotters::style::RGBColor;

/// How many series or curves one picture tells apart.
pub const MOST: usize = 8;

/// Text, axes and outlines.
pub const INK: RGBColor = RGBColor(34, 34, 34);
/// Secondary text.
pub const SOFT: RGBColor = RGBColor(85, 85, 85);
/// What is hidden: outline and hatching.
pub const HIDDEN: RGBColor = RGBColor(120, 120, 120);
/// Grid lines.
pub const GRID: RGBColor = RGBColor(226, 226, 226);

/// Okabe and Ito (2008), in an order that puts dark next to light; a grey stands for their
/// yellow, which is hardly seen on white.
const COLOURS: [RGBColor; MOST] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(213, 94, 0),
    RGBColor(0, 0, 0),
    RGBColor(153, 153, 153),
];

/// Drawn and skipped lengths in px, alternately; empty is a solid line.
const DASHES: [&[f64]; MOST] = [
    &[],
    &[9.0, 4.0],
    &[2.5, 3.0],
    &[12.0, 3.5, 2.5, 3.5],
    &[18.0, 5.0],
    &[8.0, 3.0, 2.0, 3.0, 2.0, 3.0],
    &[5.0, 5.0],
    &[1.5, 5.0],
];

/// The colour of a series, counted from 0.
pub fn colour(index: usize) -> RGBColor {
    COLOURS[index % MOST]
}

/// The dashes of a curve, counted from 0.
pub fn dash(index: usize) -> &'static [f64] {
    DASHES[index % MOST]
}
