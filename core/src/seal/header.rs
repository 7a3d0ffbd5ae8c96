//! How a sealed store begins: which keys open it.

use super::id::{Generation, StoreId};
use crate::error::{DecodeError, DecodeErrorKind, Field, NewerForm};
use crate::wire::{Reader, Sink};

/// How a sealed store begins. The fifth byte keeps releases that know no magic from reading a session in it.
const MAGIC: [u8; 5] = *b"MTSE\xFF";
const FORMAT: u8 = 1;

/// Most key slots of a store.
pub const MAX_SLOTS: usize = 8;
/// Most bytes of a slot's parameters.
pub const MAX_PARAMETERS: usize = 1024;
/// Most bytes of a name.
pub const MAX_NAME: usize = 255;
/// Bytes of a slot's salt.
pub const SALT_LEN: usize = 16;
/// Bytes of a wrapped key: 32 of the key and 16 that authenticate it.
pub const WRAPPED_LEN: usize = 48;
/// Bytes that authenticate the header, at its end.
pub const HEADER_MAC_LEN: usize = 32;

/// Whether these bytes are sealed, in this format or a newer one.
#[must_use]
pub fn is_sealed(input: &[u8]) -> bool {
    input.starts_with(&MAGIC)
}

/// What kind of store is sealed: one does not pass for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SealedKind {
    /// A session file.
    File,
    /// A session string.
    String,
    /// An object of a store that keeps objects.
    Blob,
    /// A database.
    Database,
}

impl SealedKind {
    /// Its number in the header.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::File => 1,
            Self::String => 2,
            Self::Blob => 3,
            Self::Database => 4,
        }
    }

    const fn of_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::File),
            2 => Some(Self::String),
            3 => Some(Self::Blob),
            4 => Some(Self::Database),
            _ => None,
        }
    }
}

/// What a sealed store says about one of the keys that open it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeySlot<'a> {
    /// What kind of key it is: [`RAW`](Self::RAW), [`PASSPHRASE`](Self::PASSPHRASE),
    /// [`KEYRING`](Self::KEYRING), [`CALLER`](Self::CALLER), or one that this release does not know.
    pub kind: u8,
    /// What its source has stored with it, up to 1 KiB; not secret.
    pub parameters: &'a [u8],
    /// New with each wrapping.
    pub salt: &'a [u8; SALT_LEN],
    /// The store's key, wrapped with the key of the slot.
    pub wrapped: &'a [u8; WRAPPED_LEN],
}

impl<'a> KeySlot<'a> {
    /// 32 random bytes that are kept in a file.
    pub const RAW: u8 = 1;
    /// A passphrase that is stretched by Argon2id.
    pub const PASSPHRASE: u8 = 2;
    /// 32 random bytes that the system's keyring has.
    pub const KEYRING: u8 = 3;
    /// A key of the program's own.
    pub const CALLER: u8 = 4;

    /// A slot of these parts.
    #[must_use]
    pub const fn new(
        kind: u8,
        parameters: &'a [u8],
        salt: &'a [u8; SALT_LEN],
        wrapped: &'a [u8; WRAPPED_LEN],
    ) -> Self {
        Self {
            kind,
            parameters,
            salt,
            wrapped,
        }
    }

    /// What people call a key of its kind.
    #[must_use]
    pub const fn kind_name(&self) -> &'static str {
        match self.kind {
            Self::RAW => "key file",
            Self::PASSPHRASE => "passphrase",
            Self::KEYRING => "keyring",
            Self::CALLER => "key of a program",
            _ => "key of a kind that this release does not know",
        }
    }

    fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let kind = reader.u8(Field::SealedSlot)?;
        let len = reader.len_u16(Field::SealedSlot)?;
        if len > MAX_PARAMETERS {
            return Err(reader.error(DecodeErrorKind::SealedHeader, Field::SealedSlot));
        }
        Ok(Self {
            kind,
            parameters: reader.bytes(len, Field::SealedSlot)?,
            salt: reader.array(Field::SealedSlot)?,
            wrapped: reader.array(Field::SealedSlot)?,
        })
    }
}

/// The header of a sealed store, of which nobody has vouched for anything yet.
#[derive(Clone, Copy, Debug)]
pub struct Header<'a> {
    fields: HeaderFields<'a>,
    slots: &'a [u8],
    bytes: &'a [u8],
}

/// What a header says besides its slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderFields<'a> {
    /// What is sealed.
    pub kind: SealedKind,
    /// Which store it is.
    pub store: StoreId,
    /// How new it is.
    pub generation: Generation,
    /// The name that it was given, at most [`MAX_NAME`] bytes; empty for none.
    pub name: &'a str,
}

impl<'a> Header<'a> {
    /// The header at the start of `input`.
    ///
    /// # Errors
    /// Which part is cut off or makes no sense, at which byte;
    /// [`NewerForm`](DecodeErrorKind::NewerForm) for a format that this release does not know.
    pub fn first(input: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(input);
        let magic: &[u8; MAGIC.len()] = reader.array(Field::SealedHeader)?;
        if *magic != MAGIC {
            let kind = DecodeErrorKind::SealedHeader;
            return Err(DecodeError::new(kind, Field::SealedHeader, 0));
        }
        if reader.u8(Field::SealedHeader)? != FORMAT {
            let kind = DecodeErrorKind::NewerForm(NewerForm::Sealed);
            return Err(DecodeError::new(kind, Field::SealedHeader, MAGIC.len()));
        }
        let at = reader;
        let senseless = at.error(DecodeErrorKind::SealedHeader, Field::SealedHeader);
        let kind = SealedKind::of_number(reader.u8(Field::SealedHeader)?).ok_or(senseless)?;
        let store = StoreId::new(*reader.array(Field::SealedHeader)?);
        let generation = u64::from_le_bytes(*reader.array(Field::SealedHeader)?);
        let name_len = reader.len_u8(Field::SealedHeader)?;
        let name = reader.bytes(name_len, Field::SealedHeader)?;
        let name = str::from_utf8(name)
            .map_err(|_| reader.error(DecodeErrorKind::Utf8, Field::SealedHeader))?;
        let senseless = reader.error(DecodeErrorKind::SealedHeader, Field::SealedSlot);
        let count = reader.len_u8(Field::SealedSlot)?;
        if !(1..=MAX_SLOTS).contains(&count) {
            return Err(senseless);
        }
        let slots = reader.rest();
        for _ in 0..count {
            KeySlot::read(&mut reader)?;
        }
        let slots_len = slots.len().saturating_sub(reader.rest().len());
        let slots = slots.get(..slots_len).unwrap_or_default();
        reader.array::<HEADER_MAC_LEN>(Field::SealedHeader)?;
        Ok(Self {
            fields: HeaderFields {
                kind,
                store,
                generation: Generation::new(generation),
                name,
            },
            slots,
            bytes: input.get(..reader.offset()).unwrap_or_default(),
        })
    }

    /// What it says besides its slots.
    #[must_use]
    pub const fn fields(&self) -> HeaderFields<'a> {
        self.fields
    }

    /// The keys that open the store, in their order.
    #[must_use]
    pub const fn slots(&self) -> Slots<'a> {
        Slots {
            rest: Reader::new(self.slots),
        }
    }

    /// All of its bytes.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The bytes that are authenticated, and what authenticates them.
    #[must_use]
    pub fn parts(&self) -> (&'a [u8], [u8; HEADER_MAC_LEN]) {
        match self.bytes.split_last_chunk::<HEADER_MAC_LEN>() {
            Some((covered, mac)) => (covered, *mac),
            None => (&[], [0; HEADER_MAC_LEN]),
        }
    }
}

/// The slots of a [`Header`].
#[derive(Clone, Debug)]
pub struct Slots<'a> {
    rest: Reader<'a>,
}

impl<'a> Iterator for Slots<'a> {
    type Item = KeySlot<'a>;

    fn next(&mut self) -> Option<KeySlot<'a>> {
        KeySlot::read(&mut self.rest).ok()
    }
}

/// Writes a header without the [bytes](HEADER_MAC_LEN) that authenticate it, which follow. Of names, parameters
/// and slots beyond the bounds above the rest is left out: [`Header::first`] would not read them.
///
/// # Errors
/// What the sink refuses with.
pub fn put_header<W: Sink>(
    fields: &HeaderFields<'_>,
    slots: &[KeySlot<'_>],
    sink: &mut W,
) -> Result<(), W::Error> {
    let name = fields.name.as_bytes();
    let name = name.get(..MAX_NAME).unwrap_or(name);
    let slots = slots.get(..MAX_SLOTS).unwrap_or(slots);
    sink.write(&MAGIC)?;
    sink.write(&[FORMAT, fields.kind.number()])?;
    sink.write(fields.store.as_bytes())?;
    sink.write(&fields.generation.get().to_le_bytes())?;
    sink.write(&[u8::try_from(name.len()).unwrap_or(u8::MAX)])?;
    sink.write(name)?;
    sink.write(&[u8::try_from(slots.len()).unwrap_or(u8::MAX)])?;
    for slot in slots {
        let parameters = slot.parameters;
        let parameters = parameters.get(..MAX_PARAMETERS).unwrap_or(parameters);
        let len = u16::try_from(parameters.len()).unwrap_or(u16::MAX);
        sink.write(&[slot.kind])?;
        sink.write(&len.to_le_bytes())?;
        sink.write(parameters)?;
        sink.write(slot.salt)?;
        sink.write(slot.wrapped)?;
    }
    Ok(())
}
