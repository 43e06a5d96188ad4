//! The result as one page; nothing from outside.

use super::{Report, text};

/// The page.
pub fn render(report: &Report) -> String {
    let text = text::render(report, false).replace('&', "&amp;").replace('<', "&lt;");
    format!("<!DOCTYPE html>\n<meta charset=\"utf-8\"><title>firewall-rules lab</title><pre>{text}</pre>\n")
}
