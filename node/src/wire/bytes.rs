//! Byte strings and what is encoded into them, each in one piece: serde's own way with a `Vec<u8>` goes byte by byte.
//!
//! Postcard writes the same bytes either way, so that this changes no format. It is for postcard: formats that describe themselves
//! may write a byte string as a list, which is not read back here.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, Error, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

/// A field that is a byte string: `#[serde(with = "bytes")]`.
pub(crate) fn serialize<S: Serializer>(
    bytes: &impl AsRef<[u8]>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes.as_ref())
}

/// See [`serialize`].
pub(crate) fn deserialize<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: for<'a> From<&'a [u8]>,
{
    deserializer.deserialize_bytes(Piece(PhantomData))
}

/// A field that may be a byte string: `#[serde(with = "bytes::optional")]`.
pub(crate) mod optional {
    use super::{Borrowed, Deserialize, Deserializer, Owned, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "serde gives a reference to the field")]
    pub(crate) fn serialize<S: Serializer>(
        bytes: &Option<impl AsRef<[u8]>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let bytes = bytes.as_ref().map(|bytes| Borrowed(bytes.as_ref()));
        bytes.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
    where
        D: Deserializer<'de>,
        T: for<'a> From<&'a [u8]>,
    {
        let bytes = Option::<Owned<T>>::deserialize(deserializer)?;
        Ok(bytes.map(|Owned(bytes)| bytes))
    }
}

/// A field that is a list of byte strings: `#[serde(with = "bytes::list")]`.
pub(crate) mod list {
    use super::{Borrowed, Deserialize, Deserializer, Owned, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        list: &[impl AsRef<[u8]>],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(list.iter().map(|bytes| Borrowed(bytes.as_ref())))
    }

    pub(crate) fn deserialize<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
    where
        D: Deserializer<'de>,
        T: for<'a> From<&'a [u8]>,
    {
        let list = Vec::<Owned<T>>::deserialize(deserializer)?;
        Ok(list.into_iter().map(|Owned(bytes)| bytes).collect())
    }
}

struct Borrowed<'a>(&'a [u8]);

impl Serialize for Borrowed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

struct Owned<T>(T);

impl<'de, T: for<'a> From<&'a [u8]>> Deserialize<'de> for Owned<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Owned<T>, D::Error> {
        deserialize(deserializer).map(Owned)
    }
}

struct Piece<T>(PhantomData<T>);

impl<T: for<'a> From<&'a [u8]>> Visitor<'_> for Piece<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a byte string")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<T, E> {
        Ok(bytes.into())
    }
}

/// The end of a buffer, to encode into.
pub(super) struct Tail<'a>(pub(super) &'a mut Vec<u8>);

impl postcard::ser_flavors::Flavor for Tail<'_> {
    type Output = ();

    fn try_extend(&mut self, data: &[u8]) -> Result<(), postcard::Error> {
        self.0.extend_from_slice(data);
        Ok(())
    }

    fn try_push(&mut self, data: u8) -> Result<(), postcard::Error> {
        self.0.push(data);
        Ok(())
    }

    fn finalize(self) -> Result<(), postcard::Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};

    use crate::wire::{decode, encode};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Piecewise {
        one: Vec<u8>,
        maybe: Option<Vec<u8>>,
        many: Vec<Vec<u8>>,
        last: u16,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Whole {
        #[serde(with = "super")]
        one: Vec<u8>,
        #[serde(with = "super::optional")]
        maybe: Option<Arc<[u8]>>,
        #[serde(with = "super::list")]
        many: Vec<Vec<u8>>,
        last: u16,
    }

    proptest! {
        #[test]
        fn the_bytes_are_those_of_serdes_own_way(
            one: Vec<u8>,
            maybe: Option<Vec<u8>>,
            many in prop::collection::vec(any::<Vec<u8>>(), 0..4),
            last: u16,
            junk in prop::collection::vec(any::<u8>(), 0..60),
        ) {
            let whole = Whole { one: one.clone(), maybe: maybe.clone().map(Arc::from), many: many.clone(), last };
            let bytes = encode(&whole).unwrap();
            prop_assert_eq!(&bytes, &encode(&Piecewise { one, maybe, many, last }).unwrap());
            prop_assert_eq!(decode::<Whole>(&bytes).unwrap(), whole);
            // What is no encoding is refused by both or by neither.
            prop_assert_eq!(decode::<Whole>(&junk).is_ok(), decode::<Piecewise>(&junk).is_ok());
        }
    }
}
