use super::super::placeholder::{Piece, split};
use super::*;

/// How the last placeholder of a template is written.
fn place(template: &str) -> Result<Escape, String> {
    let mut scanner = Scanner::default();
    let mut last = None;
    for piece in split(template).unwrap() {
        match piece {
            Piece::Literal(text) => scanner.literal(text).map_err(|error| error.to_string())?,
            Piece::Placeholder(field) => {
                let escape = scanner.place(field).map_err(|error| error.to_string())?;
                last = Some(escape);
            }
        }
    }
    scanner.end().map_err(|error| error.to_string())?;
    Ok(last.unwrap_or(Escape::Text))
}

fn assert_places(escape: Escape, templates: &[&str]) {
    for template in templates {
        assert_eq!(place(template), Ok(escape), "{template}");
    }
}

fn assert_refuses(reason: &str, templates: &[&str]) {
    for template in templates {
        let error = place(template).expect_err(template);
        assert!(error.contains(reason), "{template}: {error}");
    }
}

#[test]
fn text_and_text_attributes_take_any_value() {
    assert_places(
        Escape::Html,
        &[
            "{{user.name}}",
            "<!DOCTYPE html><p>a > b {{user.name}}</p>",
            "<p title='{{user.name}}'></p>",
            "<P TITLE = \"a {{user.email}} ' b {{user.name}}\" hidden>x</P>",
            "<img src=a.png alt=\"{{user.name}}\"/>",
            "<p aria-label=\"{{user.name}}\" data-x=\"{{user.name}}\">",
            "<title>{{user.name}} &amp; co</title >",
            "<textarea>{{user.name}}</TEXTAREA>",
            "<br/>{{user.name}}",
            "<br />{{user.name}}",
            "<!-- a < b --><p>{{user.name}}",
            "<!--[if !mso]><!--><p>{{user.name}}</p><!--<![endif]-->",
            "<style>a > b {c: '</p>'}</style><p class=a>{{user.name}}",
            "<style><!-- a {b: c} --></style>{{user.name}}",
            "<script>if (a<b) '<p title=\"'</script>{{user.name}}",
            "AT&T: {{user.name}} &lt;{{user.email}}&gt;",
        ],
    );
}

#[test]
fn a_url_may_be_the_link() {
    assert_places(
        Escape::Link,
        &[
            "<a href=\"{{token.confirmationURL}}\">",
            "<a href = '{{ token.confirmationURL }}&amp;lang=en'>",
            "<a class=\"x\"\nHREF=\"{{token.confirmationURL}}\">",
            "<form action=\"{{token.confirmationURL}}\">",
        ],
    );
    // Only as a URL is the link written as one.
    assert_places(Escape::Html, &["<p title=\"{{token.confirmationURL}}\">"]);
}

#[test]
fn a_url_with_a_host_takes_values_behind_it() {
    assert_places(
        Escape::UrlPart,
        &[
            "<a href=\"https://example.com/{{user._id}}\">",
            "<a href=\"https://example.com:8443?a={{user.name}}&amp;b={{user.email}}\">",
            "<img src='http://example.com#{{user.name}}'>",
            "<a href=\"https://example.com/?to={{token.confirmationURL}}\">",
            "<img srcset=\"https://example.com/{{user._id}} 2x\">",
        ],
    );
}

#[test]
fn a_url_takes_no_value_that_could_choose_where_it_leads() {
    assert_refuses(
        "a URL begins with `{{token.confirmationURL}}`",
        &[
            "<a href=\"{{user.profilePicture}}\">",
            "<img src=\"{{user.profilePicture}}\">",
            "<a href=\" {{token.confirmationURL}}\">",
            "<a href=\"javascript:{{token.confirmationURL}}\">",
            "<a href=\"/{{user.name}}\">",
            "<a href=\"//example.com/{{user.name}}\">",
            "<a href=\"https:{{user.name}}\">",
            "<a href=\"https://{{user.name}}\">",
            "<a href=\"https:///{{user.name}}\">",
            "<a href=\"https://example.com{{user.name}}\">",
            "<a href=\"https://example.com:{{user.name}}/\">",
            "<a href=\"https://a@example.com/{{user.name}}\">",
            "<a href=\"https://example.com\\{{user.name}}/\">",
            "<a href=\"https://example.com&#46;a/{{user.name}}/\">",
            "<a href=\" https://example.com/{{user.name}}\">",
            "<a href=\"HTTPS://example.com/{{user.name}}\">",
            "<a href=\"mailto:{{user.email}}\">",
            "<a href=\"data:text/html,https://example.com/{{user.name}}\">",
            "<a href=\"{{token.confirmationURL}}{{user.name}}\">",
            "<a href=\"{{token.confirmationURL}}&amp;a={{user.name}}\">",
            "<img srcset=\"https://example.com/ 1x, {{user.profilePicture}} 2x\">",
        ],
    );
    for attribute in URL_ATTRIBUTES {
        let template = format!("<x {attribute}=\"{{{{user.name}}}}\">");
        assert_refuses(
            &format!("may not stand there in `{attribute}`"),
            &[&template],
        );
    }
}

#[test]
fn a_value_makes_no_tag_and_no_attribute() {
    assert_refuses(
        "in a tag's name",
        &[
            "<{{user.name}}>",
            "</{{user.name}}>",
            "<h{{user.name}}>",
            "</p{{user.name}}>",
        ],
    );
    assert_refuses(
        "in a tag outside",
        &[
            "<p {{user.name}}>",
            "<p {{user.name}}=\"a\">",
            "<p data-{{user.name}}=\"a\">",
            "<p title {{user.name}}>",
            "<p title=\"a\"{{user.name}}>",
            "<p title=\"a\" {{user.name}}>",
            "<p title=\"{{user.name}}\"{{user.name}}>",
            "<p title=a {{user.name}}>",
            "<p /{{user.name}}>",
        ],
    );
    assert_refuses(
        "without quotes",
        &[
            "<p title={{user.name}}>",
            "<p title= {{user.name}}>",
            "<p title=a{{user.name}}>",
            "<a href={{token.confirmationURL}}>",
        ],
    );
}

#[test]
fn what_is_not_text_takes_no_value() {
    assert_refuses(
        "in a comment or a doctype",
        &[
            "<!-- {{user.name}} -->",
            "<!--{{user.name}}-->",
            "<!DOCTYPE {{user.name}}>",
            "<!--[if mso]>{{user.name}}<![endif]-->",
        ],
    );
    assert_refuses(
        "in a `script` element",
        &[
            "<script>{{user.name}}</script>",
            "<SCRIPT type=a>'{{user.name}}'</SCRIPT>",
            "<script>'</p>', '</scripts>', '{{user.name}}'</script>",
            "<script/>{{user.name}}",
        ],
    );
    assert_refuses(
        "in a `style` element",
        &["<style>a {b: {{user.name}}}</style>"],
    );
    assert_refuses(
        "in a `style` attribute",
        &["<p style=\"width: {{user.name}}\">"],
    );
    assert_refuses(
        "in `onclick`",
        &[
            "<p onclick=\"{{user.name}}\">",
            "<p ONCLICK='f(\"{{token.email}}\")'>",
        ],
    );
    assert_refuses(
        "not known to hold plain text",
        &[
            "<iframe-x srcdoc=\"{{user.name}}\">",
            "<meta http-equiv=\"refresh\" content=\"0; url={{user.name}}\">",
            "<p id=\"{{user.name}}\">",
        ],
    );
}

#[test]
fn a_value_finishes_no_character_reference() {
    assert_refuses(
        "unfinished character reference",
        &[
            "&{{user.name}}",
            "a &am{{user.name}}",
            "&#{{user.name}};",
            "<p title=\"&#x{{user.name}}\">",
            "<a href=\"https://example.com/&#{{user.name}}\">",
            "<a href=\"https://example.com/?a&b{{user.name}}\">",
        ],
    );
}

#[test]
fn html_that_readers_take_differently_is_refused() {
    assert_refuses(
        "begins no tag",
        &[
            "a < b",
            "<>",
            "</>",
            "<3",
            "<?xml?>",
            "<![CDATA[a]]>",
            "<!-a",
            "<é>",
        ],
    );
    assert_refuses(
        "cannot be followed",
        &[
            "<p\"a\">",
            "<p title=\"a\"alt=\"b\">",
            "<p =a>",
            "<p a\"b>",
            "<p / a>",
            "<p <b>",
            "<pé>",
        ],
    );
    assert_refuses(
        "needs quotes",
        &["<p title=>", "<p title=a\"b>", "<p title=a=b>"],
    );
    assert_refuses("ends oddly", &["<!-->", "<!--->", "<!-- a --!> b -->"]);
    assert_refuses(
        "in an element of plain text",
        &["<title>a<b>b</b></title>", "<title></tit"],
    );
    assert_refuses("in a script", &["<script><!-- <script> </script>"]);
    assert_refuses(
        "belong in a mail",
        &["<svg>", "<math>", "<PLAINTEXT>", "<noscript>"],
    );
}

#[test]
fn a_document_that_is_not_whole_is_refused() {
    assert_refuses(
        "is never closed",
        &[
            "<",
            "</",
            "<p",
            "<p ",
            "<p a",
            "<p a=",
            "<p a=b",
            "<p a=\"b",
            "<p a=\"b\"",
            "<p title='{{user.name}}",
            "<!-- a",
            "<!doctype",
            "<title>a",
            "<style>a</styl",
            "<script>",
        ],
    );
}
