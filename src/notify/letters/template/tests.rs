//! What a template may say, and the place of everything that it may not.

use super::*;

const KNOWN: &[Placeholder] = &[
    Placeholder { name: "plan", words: &[] },
    Placeholder { name: "card", words: &[] },
    Placeholder { name: "kind", words: &["paid", "declined"] },
];

fn shown(source: &str, form: Form, values: &[(&'static str, &str)]) -> String {
    let values = values.iter().map(|(name, text)| (*name, Value::text(*text))).collect();
    Template::parse("t", source, form, KNOWN).unwrap().render(&values)
}

fn refused(source: &str) -> Vec<String> {
    let errors = Template::parse("t", source, Form::Plain, KNOWN).unwrap_err();
    errors.iter().map(ToString::to_string).collect()
}

#[test]
fn sections_are_shown_or_left_out() {
    let source = "a{% if plan %}[{{ plan }}]{% elif card %}({{ card }}){% else %}-{% endif %}z";
    assert_eq!(shown(source, Form::Plain, &[("plan", "P"), ("card", "C")]), "a[P]z");
    assert_eq!(shown(source, Form::Plain, &[("card", "C")]), "a(C)z");
    assert_eq!(shown(source, Form::Plain, &[]), "a-z");
    let nested = "{% if not card %}{% if kind == \"paid\" %}yes{% endif %}{% endif %}{# nobody sees this #}";
    assert_eq!(shown(nested, Form::Plain, &[("kind", "paid")]), "yes");
    assert_eq!(shown(nested, Form::Plain, &[("kind", "declined")]), "");
    assert_eq!(shown(nested, Form::Plain, &[("kind", "paid"), ("card", "C")]), "");
}

#[test]
fn a_tag_with_a_line_to_itself_leaves_no_line() {
    let source = "one\n  {% if plan %}\ntwo\n{% endif %}\n{# remark #}\nthree\n";
    assert_eq!(shown(source, Form::Plain, &[("plan", "P")]), "one\ntwo\nthree\n");
    assert_eq!(shown(source, Form::Plain, &[]), "one\nthree\n");
}

#[test]
fn a_count_of_zero_is_shown_and_is_nothing() {
    let template = Template::parse("t", "{{ plan }}{% if plan %}!{% endif %}", Form::Plain, KNOWN).unwrap();
    let with = |count| template.render(&Values::from([("plan", count)]));
    assert_eq!(with(Value::count("0".into(), true)), "0");
    assert_eq!(with(Value::count("2".into(), false)), "2!");
}

#[test]
fn values_are_escaped_in_html_and_never_read_as_tags() {
    let evil = "</title><img src=x onerror='a()'>&\"`{{ card }}{% if %}";
    assert_eq!(
        shown("<b title=\"{{ plan }}\">", Form::Html, &[("plan", evil), ("card", "secret")]),
        "<b title=\"&lt;/title&gt;&lt;img src=x onerror=&#39;a()&#39;&gt;&amp;&quot;&#96;{{ card }}{% if %}\">"
    );
    assert_eq!(shown("{{ plan }}", Form::Plain, &[("plan", "a & b")]), "a & b");
    let ready = Values::from([("plan", Value::rendered("<p>".into()))]);
    assert_eq!(Template::parse("t", "{{ plan }}", Form::Html, KNOWN).unwrap().render(&ready), "<p>");
}

#[test]
fn mistakes_are_named_with_their_place() {
    let cases = [
        (
            "ab\n  {{ plam }}",
            "t:2:3: found the unknown placeholder `plam`, wanted one of the placeholders plan, card, kind",
        ),
        (
            "{% if no %}{% endif %}",
            "t:1:1: found the unknown placeholder `no`, wanted one of the placeholders plan, card, kind",
        ),
        ("ราคา {{ plan", "t:1:6: found `{{` without its end, wanted `}}`"),
        ("{% if plan %}\nx", "t:1:1: found `{% if plan %}` without its end, wanted `{% endif %}`"),
        (
            "\n{% endif %}",
            "t:2:1: found `{% endif %}` without its `{% if … %}`, wanted `{% if … %}`, `{% elif … %}`, `{% else %}` or `{% endif %}`",
        ),
        (
            "{% for a in plan %}",
            "t:1:1: found `{% for a in plan %}`, wanted `{% if … %}`, `{% elif … %}`, `{% else %}` or `{% endif %}`",
        ),
        (
            "{% if plan == \"x\" %}{% endif %}",
            "t:1:1: found `plan == \"x\"`, wanted `plan` alone: it is compared with nothing",
        ),
        (
            "{% if kind == \"payed\" %}{% endif %}",
            "t:1:1: found `kind == \"payed\"`, wanted one of \"paid\", \"declined\"",
        ),
        (
            "{% if kind == paid %}{% endif %}",
            "t:1:1: found `kind == paid`, wanted one of \"paid\", \"declined\"",
        ),
        (
            "{% if plan %}{% else %}{% elif card %}{% endif %}",
            "t:1:24: found `{% elif … %}` after `{% else %}`, wanted `{% endif %}`",
        ),
        (
            "{% if plan or card %}{% endif %}",
            "t:1:1: found the condition `plan or card`, wanted a placeholder, `not` and a placeholder, or a placeholder == \"word\"",
        ),
        (
            "{{ plan | safe }}",
            "t:1:1: found the unknown placeholder `plan | safe`, wanted one of the placeholders plan, card, kind",
        ),
    ];
    for (source, wanted) in cases {
        assert_eq!(refused(source), [wanted], "{source}");
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    assert_eq!(refused("{{ a }}\n{% if b %}{% else %}{% loop %}{% endif %}{{ c }}").len(), 4);
    assert_eq!(refused(&"{% if plan %}".repeat(parse::DEEPEST + 1)).len(), parse::DEEPEST + 2);
}

proptest::proptest! {
    /// Whatever somebody writes into a template, it is accepted or told with a place in it.
    #[test]
    fn any_text_is_accepted_or_refused_at_a_place(
        parts in proptest::collection::vec(
            proptest::sample::select(vec![
                "{{", "}}", "{%", "%}", "{#", "#}", " if ", " not ", " elif ", " else ", " endif ", "plan", "kind",
                " == ", "\"paid\"", "\n", " ", "ราคา", "円", "{", "}", "x",
            ]),
            0..40,
        ),
    ) {
        let source = parts.concat();
        match Template::parse("t", &source, Form::Html, KNOWN) {
            Ok(template) => {
                let value = Value::text("<é>");
                let shown = template.render(&Values::from([("plan", value)]));
                proptest::prop_assert!(!shown.contains("<é>"));
            }
            Err(errors) => {
                proptest::prop_assert!(!errors.is_empty());
                for error in errors {
                    let line = source.split('\n').nth(error.line - 1);
                    proptest::prop_assert!(line.is_some_and(|line| error.column <= line.chars().count()), "{}", error);
                }
            }
        }
    }
}
