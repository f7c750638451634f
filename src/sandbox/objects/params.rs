//! What a client sent, whatever way it wrote it: query, form or JSON body, on any method.
//!
//! Promises: `a[b][c]=v`, `a[]=v`, JSON objects and digits written as text all read alike. Must never
//! know what the names mean.

use serde_json::{Map, Value};

use super::error::ApiError;

/// Deeper nesting than this is somebody's mistake.
const MAX_DEPTH: usize = 8;

/// Named values of one request.
#[derive(Debug, Default, Clone)]
pub struct Params(pub Map<String, Value>);

impl Params {
    /// Reads the query and then the body over it.
    pub fn read(query: Option<&str>, body: &[u8]) -> Result<Self, ApiError> {
        let mut values = Map::new();
        if let Some(query) = query {
            read_form(&mut values, query.as_bytes());
        }
        let body = body.trim_ascii();
        if body.first() == Some(&b'{') {
            let sent: Map<String, Value> = serde_json::from_slice(body).map_err(|error| {
                ApiError::bad("bad_request", format!("the JSON body cannot be read: {error}"))
            })?;
            for (name, value) in sent {
                // `filters[captured]` is sent flat inside JSON by one official client.
                if name.contains('[') {
                    insert(&mut values, &name, value);
                } else {
                    values.insert(name, value);
                }
            }
        } else {
            read_form(&mut values, body);
        }
        Ok(Self(values))
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// Text; numbers read as text too. `None` when absent, null or empty.
    pub fn text(&self, name: &str) -> Option<String> {
        match self.get(name)? {
            Value::String(text) if text.is_empty() => None,
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            _ => None,
        }
    }

    /// What an update makes of a text field: unchanged when absent, cleared when empty or null.
    pub fn update(&self, name: &str, field: &mut Option<Box<str>>) {
        if self.0.contains_key(name) {
            *field = self.text(name).map(Into::into);
        }
    }

    /// A whole number, or digits in text. `None` when absent; an error for anything else.
    pub fn whole(&self, name: &str) -> Result<Option<i64>, ()> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Number(number)) => number.as_i64().map(Some).ok_or(()),
            Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
            Some(Value::String(text)) => text.trim().parse().map(Some).map_err(|_| ()),
            Some(_) => Err(()),
        }
    }

    /// A yes or no in any of the words the API takes. `None` when absent or neither.
    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.get(name)? {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) => match text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" | "1" => Some(true),
                "false" | "no" | "off" | "0" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// A nested group such as `card[...]`. Empty when absent.
    pub fn group(&self, name: &str) -> Params {
        match self.get(name) {
            Some(Value::Object(map)) => Params(map.clone()),
            _ => Params::default(),
        }
    }
}

fn read_form(values: &mut Map<String, Value>, form: &[u8]) {
    for pair in form.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let cut = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        let name = decode(&pair[..cut]);
        let value = decode(pair.get(cut + 1..).unwrap_or_default());
        insert(values, &name, Value::String(value));
    }
}

/// Percent and plus decoding; broken escapes stay as they are.
fn decode(text: &[u8]) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        let escaped = (*first == b'%').then(|| tail.get(..2)).flatten();
        let byte = escaped
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        rest = if let Some(byte) = byte {
            out.push(byte);
            &tail[2..]
        } else {
            out.push(if *first == b'+' { b' ' } else { *first });
            tail
        };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Puts `value` where a name like `on[days_of_month][]` points.
fn insert(values: &mut Map<String, Value>, name: &str, value: Value) {
    let (head, rest) = name.split_once('[').unwrap_or((name, ""));
    let steps: Vec<&str> =
        if rest.is_empty() { Vec::new() } else { rest.trim_end_matches(']').split("][").collect() };
    if steps.len() > MAX_DEPTH {
        return;
    }
    place(values.entry(head.to_owned()).or_insert(Value::Null), &steps, value);
}

fn place(slot: &mut Value, steps: &[&str], value: Value) {
    let Some((step, rest)) = steps.split_first() else {
        *slot = value;
        return;
    };
    if step.is_empty() {
        if !slot.is_array() {
            *slot = Value::Array(Vec::new());
        }
        if let Value::Array(items) = slot {
            items.push(Value::Null);
            if let Some(last) = items.last_mut() {
                place(last, rest, value);
            }
        }
        return;
    }
    if !slot.is_object() {
        *slot = Value::Object(Map::new());
    }
    if let Value::Object(map) = slot {
        place(map.entry((*step).to_owned()).or_insert(Value::Null), rest, value);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn form_and_json_read_alike() {
        let form = b"amount=2500&metadata%5Border%5D=a+b&on[days_of_month][]=1&on[days_of_month][]=15";
        let sent = Params::read(Some("limit=5"), form).expect("reads");
        assert_eq!(
            Value::Object(sent.0.clone()),
            json!({"amount":"2500","limit":"5","metadata":{"order":"a b"},"on":{"days_of_month":["1","15"]}})
        );
        assert_eq!(sent.whole("amount"), Ok(Some(2500)));
        let json =
            Params::read(None, br#"{"amount":2500,"filters[captured]":true,"x":null}"#).expect("reads");
        assert_eq!(json.whole("amount"), Ok(Some(2500)));
        assert_eq!(json.group("filters").flag("captured"), Some(true));
        assert_eq!(json.get("x"), None);
    }

    #[test]
    fn nonsense_is_refused_or_harmless() {
        assert!(Params::read(None, b"{\"a\":").is_err());
        assert_eq!(Params::read(None, b"amount=12.5").expect("reads").whole("amount"), Err(()));
        assert_eq!(decode(b"100%"), "100%");
        assert_eq!(decode(b"%zz%41"), "%zzA");
    }
}
