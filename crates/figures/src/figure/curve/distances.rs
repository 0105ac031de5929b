//! The distances of vectors to their neighbours in ascending order, with the knee, which suggests an eps.
//!
//! Ester, Kriegel, Sander and Xu (*A Density-Based Algorithm for Discovering Clusters*, KDD 1996, section 4.2) read eps
//! off the first valley of this curve. The knee is found as in Satopaa, Albrecht, Irwin and Raghavan (*Finding a
//! "Kneedle" in a Haystack*, 2011) without smoothing: of the curve scaled to the unit square, the point that lies
//! farthest below its diagonal. The curve is the one that is drawn, of logarithms, so that the knee lies where it is seen.

use plotly::common::{Anchor, DashType, ExponentFormat, Font, HoverInfo, Line, Mode, Title};
use plotly::layout::{Annotation, Axis, AxisType, Shape, ShapeLine, ShapeType};
use plotly::{Scatter, Trace};

use crate::figure::MANY;
use crate::page::Part;
use crate::rows::Rows;
use crate::settings::Settings;
use crate::style::{color, layout};
use crate::text::{SHOWN, count, marks, thousands};

/// Draws the distances of the option `y`.
pub(super) fn draw(rows: &Rows, settings: &Settings) -> Part {
    let column = settings.column("y", rows);
    let distance = |row: usize| column.and_then(|column| column.number(row));
    let mut curve: Vec<(f64, usize)> =
        (0..rows.len()).filter_map(|row| distance(row).map(|distance| (distance, row))).collect();
    curve.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let distances: Vec<f64> = curve.iter().map(|point| point.0).collect();
    let knee = knee(&distances);
    let eps = settings.number("eps");
    let traces: Vec<Box<dyn Trace>> = vec![
        Scatter::new((0..curve.len()).collect(), distances)
            // A line is one element; so many marks would be as many, and lie on each other.
            .mode(if curve.len() > MANY { Mode::Lines } else { Mode::LinesMarkers })
            .ids(curve.iter().map(|point| point.1.to_string()).collect())
            .hover_info(HoverInfo::None)
            .marker(plotly::common::Marker::new().size(5).color(color(0)))
            .line(Line::new().width(1.5).color(color(0)))
            .show_legend(false),
    ];
    // At either side, so that close ones can be told apart.
    let mut levels = vec![];
    if let Some(knee) = knee {
        levels.push((knee, format!("knee {knee:.2e}"), color(1), DashType::Dash, 0.0, Anchor::Left));
    }
    if let Some(eps) = eps {
        levels.push((eps, format!("eps {eps}"), color(2), DashType::Solid, 1.0, Anchor::Right));
    }
    let (mut lines, mut labels) = (vec![], vec![]);
    for (level, text, color, dash, x, anchor) in levels.into_iter().filter(|level| level.0 > 0.0) {
        let line = ShapeLine::new().color(color).width(1.5).dash(dash);
        let shape = Shape::new().shape_type(ShapeType::Line).x_ref("paper").x0(0.0).x1(1.0);
        lines.push(shape.y0(level).y1(level).line(line));
        let label = Annotation::new().x_ref("paper").x(x).x_anchor(anchor).text(text).show_arrow(false);
        // Labels on a logarithmic axis are placed by the logarithm, lines are not.
        labels.push(label.y(level.log10()).y_anchor(Anchor::Bottom).font(Font::new().size(13).color(color)));
    }
    let layout = layout(None)
        .x_axis(Axis::new().title(Title::with_text("vectors, nearest neighbours first")))
        .y_axis(
            Axis::new()
                .type_(AxisType::Log)
                .exponent_format(ExponentFormat::SmallE)
                .title(Title::with_text(marks(settings.get("y").unwrap_or_default(), SHOWN)))
                .auto_margin(true),
        )
        .shapes(lines)
        .annotations(labels);
    let mut note =
        vec![format!("{} in ascending order, on a logarithmic scale.", count(curve.len(), "distance"))];
    let zeros = curve.iter().filter(|point| point.0 <= 0.0).count();
    if zeros > 0 {
        note.push(format!("{} of 0 lie below it.", count(zeros, "distance")));
    }
    if let Some(knee) = knee {
        note.push(format!(
            "The knee, {knee:.3e}, is a candidate for eps: the place where the curve, as it is drawn, lies farthest below \
             a straight line from its first to its last point."
        ));
    }
    if let Some(eps) = eps {
        let within = curve.iter().filter(|point| point.0 <= eps).count();
        note.push(format!("{} of them within the chosen eps of {eps}.", thousands(within)));
    }
    if curve.len() < rows.len() {
        note.push(format!("Not drawn: {} without a distance.", count(rows.len() - curve.len(), "row")));
    }
    Part::drawing(rows, note.join(" "), traces, layout)
}

/// The knee of distances in ascending order, on the scale that is drawn: of the logarithms of those above 0. `None` where
/// these are equal, or a straight line.
fn knee(distances: &[f64]) -> Option<f64> {
    let drawn = distances.get(distances.partition_point(|distance| *distance <= 0.0)..)?;
    let (first, last) = (drawn.first()?.ln(), drawn.last()?.ln());
    let (length, height) = (drawn.len() as f64 - 1.0, last - first);
    if height <= 0.0 {
        return None;
    }
    let below =
        |(at, distance): (usize, &f64)| (at as f64 / length - (distance.ln() - first) / height, *distance);
    let (depth, knee) = drawn.iter().enumerate().map(below).max_by(|a, b| a.0.total_cmp(&b.0))?;
    (depth > 1e-9).then_some(knee)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knee_is_where_the_drawn_curve_turns() {
        // On a linear scale the last steps outweigh all others, and the knee would be 2^16.
        let turning: Vec<f64> = (0..100)
            .map(|i| if i < 80 { 1.0 + f64::from(i) / 80.0 } else { f64::from(i - 78).exp2() })
            .collect();
        assert_eq!(knee(&turning), Some(1.0 + 79.0 / 80.0));
        let with_zeros: Vec<f64> = [0.0; 50].into_iter().chain(turning).collect();
        assert_eq!(knee(&with_zeros), Some(1.0 + 79.0 / 80.0), "0 has no place on the scale");
        assert_eq!(knee(&[1.0, 2.0, 4.0]), None);
        assert_eq!(knee(&[2.0, 2.0]), None);
        assert_eq!(knee(&[0.0, 0.0]), None);
        assert_eq!(knee(&[]), None);
    }
}
