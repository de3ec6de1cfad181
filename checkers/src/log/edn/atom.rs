//! The forms of EDN that hold no others: numbers, symbols, strings and characters.

use super::{Datum, Read, Reader, stop};
use crate::log::datum::Float;

impl Reader<'_> {
    /// Reads a number or a symbol.
    pub(super) fn atom(&mut self) -> Read<Datum> {
        let begin = self.at;
        let token = self.token();
        let signed = token.strip_prefix(['+', '-']).unwrap_or(token);
        if signed
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_digit())
        {
            let what = || format!("`{token}` is no number: correct it, or quote it");
            return number(token).map_or_else(|| self.no_token(begin, what()), Ok);
        }
        Ok(match token {
            "nil" => Datum::Nil,
            "true" => Datum::Bool(true),
            "false" => Datum::Bool(false),
            symbol => Datum::Symbol(symbol.into()),
        })
    }

    /// Reads what follows `##`.
    pub(super) fn symbolic(&mut self, begin: usize) -> Read<Datum> {
        let value = match self.token() {
            "Inf" => f64::INFINITY,
            "-Inf" => f64::NEG_INFINITY,
            "NaN" => f64::NAN,
            _ => return self.no_token(begin, "`##` is followed by Inf, -Inf or NaN: correct it"),
        };
        Ok(Datum::Float(Float(value)))
    }

    pub(super) fn string(&mut self) -> Read<Datum> {
        self.at += 1;
        let mut begin = self.at;
        let mut unescaped = String::new();
        loop {
            let rest = &self.text.as_bytes()[self.at..];
            let Some(end) = memchr::memchr2(b'"', b'\\', rest) else {
                return self.ended();
            };
            self.at += end;
            let plain = &self.text[begin..self.at];
            if rest[end] == b'"' {
                self.at += 1;
                if unescaped.is_empty() {
                    return Ok(Datum::text(plain));
                }
                unescaped.push_str(plain);
                return Ok(Datum::Text(unescaped.into()));
            }
            unescaped.push_str(plain);
            unescaped.push(self.escape()?);
            begin = self.at;
        }
    }

    /// Reads an escape within a string: a backslash and what follows it.
    fn escape(&mut self) -> Read<char> {
        let begin = self.at;
        self.at += 1;
        let Some(next) = self.text[self.at..].chars().next() else {
            return self.ended();
        };
        self.at += next.len_utf8();
        Ok(match next {
            't' => '\t',
            'r' => '\r',
            'n' => '\n',
            'b' => '\x08',
            'f' => '\x0c',
            '\\' | '"' => next,
            'u' => return self.unicode(begin),
            '0'..='7' => {
                self.at -= 1;
                let rest = self.text.as_bytes()[self.at..].iter();
                let length = rest
                    .take(3)
                    .take_while(|byte| matches!(byte, b'0'..=b'7'))
                    .count();
                let digits = &self.text[self.at..self.at + length];
                self.at += length;
                let code = u32::from_str_radix(digits, 8).ok();
                code.and_then(char::from_u32).unwrap_or_default()
            }
            _ => {
                return stop(
                    begin,
                    format!("`\\{next}` is no escape: write `\\\\{next}`"),
                );
            }
        })
    }

    /// Reads the four digits after `\u`, and a second escape where two stand for one character.
    fn unicode(&mut self, begin: usize) -> Read<char> {
        let Some(first) = self.unit() else {
            return self.no_unicode(begin);
        };
        if let Some(character) = char::from_u32(first) {
            return Ok(character);
        }
        if (0xD800..0xDC00).contains(&first) && self.text[self.at..].starts_with("\\u") {
            self.at += 2;
            if let Some(second @ 0xDC00..0xE000) = self.unit() {
                let code = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                return char::from_u32(code).map_or_else(|| self.no_unicode(begin), Ok);
            }
        }
        self.no_unicode(begin)
    }

    fn unit(&mut self) -> Option<u32> {
        let Some(digits) = self.text.get(self.at..self.at + 4) else {
            // Too short, or within a character: only the first is for want of text.
            self.at = self.text.len().min(self.at + 4);
            return None;
        };
        let unit = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        self.at += 4;
        unit.then(|| u32::from_str_radix(digits, 16).ok()).flatten()
    }

    fn no_unicode<T>(&self, begin: usize) -> Read<T> {
        self.no_token(
            begin,
            "`\\u` is followed by four hexadecimal digits of a character: correct it",
        )
    }

    pub(super) fn character(&mut self) -> Read<Datum> {
        let begin = self.at;
        self.at += 1;
        let Some(first) = self.text[self.at..].chars().next() else {
            return self.ended();
        };
        // The first character may be one that ends tokens: `\(`.
        self.at += first.len_utf8();
        self.token();
        let name = &self.text[begin + 1..self.at];
        let coded = |prefix: char, radix: u32| {
            let digits = name.strip_prefix(prefix)?;
            char::from_u32(u32::from_str_radix(digits, radix).ok()?)
        };
        let character = match name {
            "newline" => Some('\n'),
            "space" => Some(' '),
            "tab" => Some('\t'),
            "return" => Some('\r'),
            "backspace" => Some('\x08'),
            "formfeed" => Some('\x0c'),
            _ if name.len() == first.len_utf8() => Some(first),
            _ => coded('u', 16).or_else(|| coded('o', 8)),
        };
        let what = || format!("`\\{name}` is no character: correct it, or quote it");
        character.map_or_else(
            || self.no_token(begin, what()),
            |character| Ok(Datum::Char(character)),
        )
    }
}

/// The number that a token is: whole, broken or a fraction.
fn number(token: &str) -> Option<Datum> {
    let positive = token.strip_prefix('+').unwrap_or(token);
    let whole = positive.strip_suffix('N').unwrap_or(positive);
    if let Ok(number) = whole.parse() {
        return Some(Datum::Int(number));
    }
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = |text: &str| digits(text.strip_prefix('-').unwrap_or(text));
    if unsigned(whole) {
        return Some(Datum::Number(format!("{whole}N").into()));
    }
    if let Some((above, below)) = positive.split_once('/') {
        return (unsigned(above) && digits(below)).then(|| Datum::Number(positive.into()));
    }
    // Rust's own words for numbers that are none begin with a letter, so they do not come here.
    let decimal = positive.strip_suffix('M').unwrap_or(positive);
    if !decimal
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'-' | b'+'))
    {
        return None;
    }
    let float: f64 = decimal.parse().ok()?;
    Some(if decimal.len() == positive.len() {
        Datum::Float(Float(float))
    } else {
        Datum::Number(positive.into())
    })
}
