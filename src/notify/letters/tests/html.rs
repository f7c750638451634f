//! A strict reader of the HTML that letters are made of: every element closed in order, every attribute quoted,
//! nothing fetched.

/// Elements without an end.
const VOID: &[&str] = &["meta", "br"];

/// The visible text of a page, and its links.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) text: String,
    pub(super) links: Vec<String>,
}

/// Reads a whole page; a sentence when it is not well-formed or would fetch something.
pub(super) fn read(html: &str) -> Result<Page, String> {
    let mut rest = html.strip_prefix("<!doctype html>").ok_or("no doctype")?;
    let mut page = Page::default();
    let mut open: Vec<String> = Vec::new();
    while let Some(at) = rest.find('<') {
        if !open.iter().any(|tag| tag == "style" || tag == "title") {
            page.text.push_str(&plain(&rest[..at])?);
        }
        let end = rest[at..].find('>').ok_or("a tag without its end")? + at;
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            let expected = open.pop().ok_or(format!("</{name}> closes nothing"))?;
            if expected != name {
                return Err(format!("</{name}> where </{expected}> was due"));
            }
            continue;
        }
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        attributes_of(name, attributes, &mut page)?;
        if !VOID.contains(&name) {
            open.push(name.into());
        }
    }
    if open.is_empty() { Ok(page) } else { Err(format!("{open:?} never closed")) }
}

fn attributes_of(element: &str, mut rest: &str, page: &mut Page) -> Result<(), String> {
    if ["img", "script", "link", "iframe", "object", "svg", "video"].contains(&element) {
        return Err(format!("<{element}> has no place in a letter"));
    }
    while !rest.trim().is_empty() {
        let (name, more) =
            rest.trim_start().split_once("=\"").ok_or(format!("an unquoted attribute: {rest}"))?;
        let (value, more) = more.split_once('"').ok_or(format!("{name} without its end"))?;
        if ["src", "background", "srcset"].contains(&name) || name.starts_with("on") {
            return Err(format!("{name}={value:?} has no place in a letter"));
        }
        if name == "href" {
            page.links.push(plain(value)?);
        }
        rest = more;
    }
    Ok(())
}

/// Text with its entities read; a bare `&` is refused.
fn plain(text: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        let (entity, c) =
            [("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>'), ("&quot;", '"'), ("&#39;", '\''), ("&#96;", '`')]
                .into_iter()
                .find(|(entity, _)| rest[at..].starts_with(entity))
                .ok_or(format!("a bare & in {text:?}"))?;
        out.push(c);
        rest = &rest[at + entity.len()..];
    }
    out.push_str(rest);
    Ok(out)
}

#[test]
fn bad_pages_are_refused() {
    for bad in [
        "<p></p>",
        "<!doctype html><p>",
        "<!doctype html><p><b></p></b>",
        "<!doctype html><p class=x></p>",
        "<!doctype html><img src=\"https://a.test/x.png\">",
        "<!doctype html><a href=\"x\" onclick=\"y\"></a>",
        "<!doctype html><p>a & b</p>",
    ] {
        assert!(read(bad).is_err(), "{bad}");
    }
    let page = read("<!doctype html><p>a &amp; b<br><a href=\"https://a.test/?b&amp;c\">d</a></p>").unwrap();
    assert_eq!((page.text.as_str(), page.links[0].as_str()), ("a & bd", "https://a.test/?b&c"));
}
