//! Text in pages and pictures.

/// Text as HTML and SVG show it, in elements and in quoted attributes. For reports that these tools write; XML for machines
/// (JUnit) has no control characters and needs more.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_html_would_read_is_escaped_and_nothing_else() {
        assert_eq!(super::escape("a<b> & \"c\" 'd' \n\u{e9}"), "a&lt;b&gt; &amp; &quot;c&quot; 'd' \n\u{e9}");
    }
}
