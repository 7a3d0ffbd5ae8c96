//! Tables for people.

use core::fmt::Write as _;

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table, TableComponent};

/// A table without lines, for facts.
pub(crate) fn facts(rows: impl IntoIterator<Item = (&'static str, String)>) -> String {
    let mut table = bare_table();
    for (name, value) in rows {
        table.add_row([name.to_owned(), value]);
    }
    indent(&table)
}

/// A table with a line under its head.
pub(crate) fn rows<const N: usize>(
    head: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = bare_table();
    table
        .set_style(TableComponent::HeaderLines, '-')
        .set_style(TableComponent::MiddleHeaderIntersections, '-')
        .set_header(head)
        .add_rows(rows);
    indent(&table)
}

fn bare_table() -> Table {
    let mut table = Table::new();
    table
        .load_preset(NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    table
}

fn indent(table: &Table) -> String {
    table.lines().fold(String::new(), |mut text, line| {
        let _ = writeln!(text, " {}", line.trim_end());
        text
    })
}
