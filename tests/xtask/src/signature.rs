//! What a page of rustdoc says in code, as one line of text.

/// The declaration of an item, without its parts: those have lines of their own.
pub(crate) fn of_item(page: &str) -> String {
    let code = between(
        page,
        "<pre class=\"rust item-decl\"><code>",
        "</code></pre>",
    );
    let text = text(code.unwrap_or_default());
    let has_parts = ["struct", "enum", "union", "trait"]
        .iter()
        .any(|kind| text.split([' ', ']']).any(|word| word == *kind));
    match text.split_once(" {") {
        Some((head, _)) if has_parts => head.to_owned(),
        _ => text,
    }
}

/// The signature of a part of an item, whose page goes on with `rest` after the part's identifier.
pub(crate) fn of_part(rest: &str) -> String {
    // A field of a variant is followed by another; what is found must be of this one.
    let own = rest.split(" id=\"").next().unwrap_or_default();
    let header = between(own, "class=\"code-header\">", "</h");
    let code = header.or_else(|| between(own, "<code>", "</code>"));
    text(code.unwrap_or_default())
}

/// The traits that an item has, as `impl Clone for Account`, those that the compiler gives it apart.
pub(crate) fn traits(page: &str) -> Vec<String> {
    let list = between(page, "id=\"trait-implementations-list\"", "<h2 ");
    let list = list.unwrap_or_default();
    // The methods of an implementation have headers of level 4.
    let headers = list.split("<h3 class=\"code-header\">").skip(1);
    headers
        .filter_map(|header| Some(text(header.split_once("</h3>")?.0)))
        // The compiler's own, of whatever derives `PartialEq`.
        .filter(|header| !header.starts_with("impl StructuralPartialEq "))
        .collect()
}

/// What stands between two texts, the end of the whole counting as the second.
fn between<'t>(whole: &'t str, start: &str, end: &str) -> Option<&'t str> {
    let (_, rest) = whole.split_once(start)?;
    Some(rest.split_once(end).map_or(rest, |(found, _)| found))
}

/// Text without tags, and with every run of white space as one space.
fn text(html: &str) -> String {
    let mut text = String::new();
    for (at, part) in html.split('<').enumerate() {
        // A tag stands before the text, but for the first part.
        let after_tag = part.split_once('>').map(|(_, after)| after);
        text.push_str(if at == 0 {
            part
        } else {
            after_tag.unwrap_or_default()
        });
    }
    let plain = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ];
    for (from, to) in plain {
        text = text.replace(from, to);
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_text_without_its_links() {
        let page = "id=\"method.new\" class=\"method\"><a href=\"x\">Source</a><h4 class=\"code-header\">pub fn \
                    <a href=\"#method.new\">new</a>(a: &amp;'a [<a>u8</a>])\n    -&gt; Self</h4></section>";
        assert_eq!(of_part(page), "pub fn new(a: &'a [u8]) -> Self");
        let field =
            "class=\"structfield section-header\"><a>§</a><code>pts: <a>i32</a></code></span>";
        assert_eq!(of_part(field), "pts: i32");
    }

    #[test]
    fn a_declaration_ends_where_its_parts_begin() {
        let page = |code| format!("<pre class=\"rust item-decl\"><code>{code}</code></pre>");
        let given = page("#[non_exhaustive]pub struct A&lt;'a&gt; {\n    pub b: u8,\n}");
        assert_eq!(of_item(&given), "#[non_exhaustive]pub struct A<'a>");
        let function = page("pub fn f() -&gt; <a>bool</a>");
        assert_eq!(of_item(&function), "pub fn f() -> bool");
    }

    #[test]
    fn traits_are_those_that_the_author_gave() {
        let page = "<div id=\"trait-implementations-list\"><h3 class=\"code-header\">impl <a>Clone</a> for A</h3>\
                    <h4 class=\"code-header\">fn clone(&amp;self)</h4></div><h2 id=\"synthetic-implementations\">\
                    <h3 class=\"code-header\">impl Send for A</h3>";
        assert_eq!(traits(page), ["impl Clone for A"]);
    }
}
