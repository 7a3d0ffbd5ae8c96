//! How SQLite plans a statement, and what is wrong with a plan.

/// A line of a query plan: its number, the number of the line above it, and what it does.
pub(super) type Line = (i64, i64, String);

pub(super) fn plan_of(database: &rusqlite::Connection, sql: &str) -> Vec<Line> {
    let mut prepared = database
        .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    let rows = prepared
        .raw_query()
        .mapped(|row| Ok((row.get(0)?, row.get(1)?, row.get(3)?)))
        .collect::<Result<_, _>>();
    rows.unwrap()
}

pub(super) fn problems_of(sql: &str, plan: &[Line]) -> Vec<String> {
    // The end of a list is found in one step, although the plan shows the same line as for all of it.
    let mut ends_of_lists = sql.matches("SELECT max(position) + 1").count()
        + sql.matches("coalesce(max(position) + 1, 0)").count();
    let mut problems = Vec::new();
    for (_, parent, what) in plan {
        // An account keeps 64 tags of writes, and has at most 255 DC entries.
        let is_bounded = what.contains(" server_write ") || what.starts_with("SEARCH dc ");
        let is_whole_account =
            what.starts_with("SEARCH") && what.ends_with("(account=?)") && !is_bounded;
        let is_scan = what.starts_with("SCAN")
            && !what.contains("json_each")
            && !what.contains("pragma_")
            && !what.contains("sqlite_schema")
            // One row, or a page, made by a part of the statement.
            && !what.contains("SCAN (subquery")
            && !plan.iter().any(|(_, _, part)| is_part_named(part, what))
            && !what.contains("CONSTANT ROW");
        let is_automatic = what.contains("AUTOMATIC");
        let within = plan.iter().find(|(number, ..)| number == parent);
        let is_part = within.is_some_and(|(_, _, above)| !above.starts_with("CO-ROUTINE"));
        let is_end = is_part && is_whole_account && ends_of_lists > 0;
        if is_end {
            ends_of_lists -= 1;
        }
        let is_list_of_accounts = sql.ends_with("ORDER BY name");
        if is_automatic
            || (is_part && is_whole_account && !is_end)
            || (is_scan && !is_list_of_accounts)
        {
            problems.push(what.clone());
        }
    }
    problems
}

/// Whether `scan` goes through what this part of the statement has made.
fn is_part_named(part: &str, scan: &str) -> bool {
    ["CO-ROUTINE ", "MATERIALIZE "].iter().any(|made| {
        part.strip_prefix(made)
            .is_some_and(|name| Some(name) == scan.strip_prefix("SCAN "))
    })
}
