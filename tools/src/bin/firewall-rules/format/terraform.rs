//! What both clouds' files have in common: blocks of HCL as `terraform fmt` writes them.

use std::fmt::Write as _;

/// An identifier: letters, digits and underscores.
pub fn identifier(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// A text in quotes. What is written into rules has no quotes, backslashes or `${` in it.
pub fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// Writes a block: its opening, its attributes with their values below each other, and what is inside besides.
pub fn block(indent: usize, opening: &str, attributes: &[(&str, String)], inside: &str) -> String {
    let pad = " ".repeat(indent);
    let width = attributes.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let mut text = format!("{pad}{opening} {{\n");
    for (name, value) in attributes {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{pad}  {name:width$} = {value}");
    }
    text.push_str(inside);
    let _ = writeln!(text, "{pad}}}");
    text
}

/// A variable that the user sets.
pub fn variable(name: &str, description: &str) -> String {
    let attributes = [("description", quoted(description)), ("type", "string".to_owned())];
    block(0, &format!("variable \"{name}\""), &attributes, "") + "\n"
}

/// The provider that the file is for.
pub fn provider(name: &str, source: &str, version: &str) -> String {
    let value = format!("{{\n      source  = \"{source}\"\n      version = \"{version}\"\n    }}");
    let inner = block(2, "required_providers", &[(name, value)], "");
    block(0, "terraform", &[], &inner) + "\n"
}
