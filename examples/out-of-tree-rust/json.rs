// SPDX-License-Identifier: Apache-2.0
//! As much of JSON as an adapter needs, without a crate. Texts and numbers stay what they are in
//! the request, byte for byte, so what is passed on unchanged can't be changed by accident.

use std::fmt::{self, Write};

#[derive(Clone, PartialEq)]
pub enum Value<'a> {
    /// null, true, false, a number or a text, as written.
    Plain(&'a str),
    /// The same, made by us.
    Made(String),
    List(Vec<Value<'a>>),
    /// Names as written, quotes included.
    Object(Vec<(&'a str, Value<'a>)>),
}

const DEEPEST: usize = 200;

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

pub fn parse(text: &str) -> Option<Value<'_>> {
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(0)?;
    (reader.peek() == 0).then_some(value)
}

impl<'a> Reader<'a> {
    /// The next byte that isn't white space; 0 at the end.
    fn peek(&mut self) -> u8 {
        let bytes = self.text.as_bytes();
        while self.at < bytes.len() && bytes[self.at].is_ascii_whitespace() {
            self.at += 1;
        }
        bytes.get(self.at).copied().unwrap_or(0)
    }

    fn eat(&mut self, wanted: u8) -> Option<()> {
        (self.peek() == wanted).then(|| self.at += 1)
    }

    fn quoted(&mut self) -> Option<&'a str> {
        self.eat(b'"')?;
        let start = self.at - 1;
        loop {
            match self.text.as_bytes().get(self.at)? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        self.text.get(start..self.at)
    }

    fn word(&mut self) -> Option<&'a str> {
        let rest = &self.text[self.at..];
        let ends = |c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c));
        let word = &rest[..rest.find(ends).unwrap_or(rest.len())];
        self.at += word.len();
        let number = word.parse::<f64>().is_ok() && word.ends_with(|c: char| c.is_ascii_digit());
        (number || ["null", "true", "false"].contains(&word)).then_some(word)
    }

    /// What stands between two brackets, separated by commas.
    fn items<T>(&mut self, close: u8, item: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut items = Vec::new();
        self.at += 1;
        if self.peek() != close {
            items.push(item(self)?);
            while self.peek() == b',' {
                self.at += 1;
                items.push(item(self)?);
            }
        }
        self.eat(close)?;
        Some(items)
    }

    fn member(&mut self, depth: usize) -> Option<(&'a str, Value<'a>)> {
        let name = self.quoted()?;
        self.eat(b':')?;
        Some((name, self.value(depth)?))
    }

    fn value(&mut self, depth: usize) -> Option<Value<'a>> {
        match self.peek() {
            _ if depth > DEEPEST => None,
            b'{' => self.items(b'}', |r| r.member(depth + 1)).map(Value::Object),
            b'[' => self.items(b']', |r| r.value(depth + 1)).map(Value::List),
            b'"' => self.quoted().map(Value::Plain),
            _ => self.word().map(Value::Plain),
        }
    }
}

const ABSENT: Value = Value::Plain("null");

fn is_named(quoted: &str, name: &str) -> bool {
    &quoted[1..quoted.len() - 1] == name
}

impl<'a> Value<'a> {
    fn get(&self, name: &str) -> &Value<'a> {
        match self {
            Value::Object(members) => members
                .iter()
                .find(|(quoted, _)| is_named(quoted, name))
                .map_or(&ABSENT, |(_, value)| value),
            _ => &ABSENT,
        }
    }

    /// What stands at a path of names; null if some step isn't there.
    pub fn at(&self, path: &[&str]) -> &Value<'a> {
        path.iter().fold(self, |value, name| value.get(name))
    }

    pub fn is_object(&self) -> bool {
        matches!(self, Value::Object(_))
    }

    pub fn is_true(&self) -> bool {
        *self == Value::Plain("true")
    }

    fn integer(&self) -> Option<i64> {
        match self {
            Value::Plain(word) => word.parse().ok(),
            _ => None,
        }
    }

    pub fn is_integer(&self) -> bool {
        self.integer().is_some()
    }

    /// 0 for anything but an integer.
    pub fn int(&self) -> i64 {
        self.integer().unwrap_or(0)
    }

    /// A text as it is written, quotes included; none for anything else.
    pub fn quoted(&self) -> Option<&'a str> {
        match self {
            Value::Plain(word) if word.starts_with('"') => Some(word),
            _ => None,
        }
    }

    /// Puts a value under a name of the object at a path; does nothing if there is none. The name
    /// comes with its quotes.
    pub fn put(&mut self, path: &[&str], name: &'a str, value: Value<'a>) {
        let members = match self {
            Value::Object(members) => members,
            _ => return,
        };
        if let Some((step, rest)) = path.split_first() {
            let found = members.iter_mut().find(|(quoted, _)| is_named(quoted, step));
            if let Some((_, inner)) = found {
                inner.put(rest, name, value);
            }
            return;
        }
        match members.iter_mut().find(|(quoted, _)| *quoted == name) {
            Some((_, place)) => *place = value,
            None => members.push((name, value)),
        }
    }
}

fn write_items<T>(out: &mut fmt::Formatter, brackets: [char; 2], items: &[T],
                  item: impl Fn(&mut fmt::Formatter, &T) -> fmt::Result) -> fmt::Result {
    out.write_char(brackets[0])?;
    for (index, each) in items.iter().enumerate() {
        if index > 0 {
            out.write_char(',')?;
        }
        item(out, each)?;
    }
    out.write_char(brackets[1])
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Value::Plain(word) => out.write_str(word),
            Value::Made(word) => out.write_str(word),
            Value::List(items) => write_items(out, ['[', ']'], items, |o, item| write!(o, "{item}")),
            Value::Object(members) => {
                write_items(out, ['{', '}'], members, |o, (name, value)| write!(o, "{name}:{value}"))
            }
        }
    }
}
