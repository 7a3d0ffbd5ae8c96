//! MTKruto's auth string: unpadded base64 of run-length-encoded TL,
//! `DC as text | key | [api id | is bot | user id]`, without an address.
//!
//! A run of zeros is a zero and its length; everything else stands for itself.

use zeroize::Zeroizing;

use super::identity::{USER_ID_LIMIT, UserIdentity, api_id, test_mode};
use super::login::Login;
use super::tl;
use crate::account::Account;
use crate::auth_key::AUTH_KEY_LEN;
use crate::error::{DecodeError, EncodeError, Field};
use crate::text::Base64Sink;
use crate::text::addr::{Text, parse_decimal};
use crate::wire::{Reader, Sink};

/// Most characters of the DC: `"2147483647-test"`.
const DC_MAX: usize = 15;
/// Bytes of the account.
const ACCOUNT_LEN: usize = 4 + 1 + 8;
/// Most bytes before run-length encoding.
const MAX_LEN: usize = tl::len(DC_MAX) + tl::len(AUTH_KEY_LEN) + ACCOUNT_LEN;

/// How the DC says that it is a test server.
const TEST_SUFFIX: &str = "-test";

/// Decodes the layout without account; `None` when it is not laid out like this.
pub(super) fn decode_old(bytes: &[u8]) -> Result<Option<Login>, DecodeError> {
    decode(bytes, |reader| {
        reader.rest().is_empty().then(Account::default)
    })
}

/// Decodes the layout with account; `None` when it is not laid out like this.
pub(super) fn decode_new(bytes: &[u8]) -> Result<Option<Login>, DecodeError> {
    decode(bytes, |reader| {
        let api_id = reader.i32(Field::ApiId).ok()?;
        let is_bot = reader.presence(Field::IsBot).ok()?;
        let user_id = reader.i64(Field::UserId).ok()?;
        let plausible =
            reader.rest().is_empty() && api_id >= 0 && (0..USER_ID_LIMIT).contains(&user_id);
        plausible.then(|| Account {
            user_id: Some(user_id).filter(|id| *id > 0),
            is_bot: Some(is_bot).filter(|_| user_id > 0),
            api_id: Some(api_id).filter(|id| *id > 0),
            test_mode: None,
        })
    })
}

fn decode(
    bytes: &[u8],
    read_account: impl FnOnce(&mut Reader<'_>) -> Option<Account>,
) -> Result<Option<Login>, DecodeError> {
    let mut plain = Zeroizing::new([0; MAX_LEN]);
    let parsed = expand(bytes, &mut *plain).and_then(|plain| {
        let mut reader = Reader::new(plain);
        let dc = read_dc(&mut reader)?;
        let key: &[u8; AUTH_KEY_LEN] = tl::read(&mut reader, Field::StringAuthKey)?
            .try_into()
            .ok()?;
        Some((dc, key, read_account(&mut reader)?))
    });
    let Some(((dc_id, is_test), auth_key, account)) = parsed else {
        return Ok(None);
    };
    let account = Account {
        test_mode: Some(is_test),
        ..account
    };
    Login::decoded_without_server(dc_id, auth_key, account).map(Some)
}

/// Whether this is the beginning of such a string: a DC and the length of a key. The string's own
/// length depends on the zeros in its key.
pub(super) fn begins(head: &[u8]) -> bool {
    let mut plain = Zeroizing::new([0; MAX_LEN]);
    // The first bytes are enough, and a run that is cut off is of no interest.
    let head = head.get(..20).unwrap_or(head);
    let cut = head.strip_suffix(&[0]).unwrap_or(head);
    expand(cut, &mut *plain).is_some_and(|plain| {
        let mut reader = Reader::new(plain);
        read_dc(&mut reader).is_some() && reader.rest().starts_with(&[0xFE, 0, 1, 0])
    })
}

fn read_dc(reader: &mut Reader<'_>) -> Option<(i32, bool)> {
    let dc = core::str::from_utf8(tl::read(reader, Field::StringDcId)?).ok()?;
    let (digits, is_test) = match dc.strip_suffix(TEST_SUFFIX) {
        Some(digits) => (digits, true),
        None => (dc, false),
    };
    let dc_id = i32::try_from(parse_decimal(digits.as_bytes())?).ok()?;
    Some((dc_id, is_test))
}

/// Undoes the run-length encoding.
fn expand<'p>(bytes: &[u8], plain: &'p mut [u8]) -> Option<&'p [u8]> {
    let mut len = 0_usize;
    let mut bytes = bytes.iter().copied();
    while let Some(byte) = bytes.next() {
        // What `plain` holds is zeros already.
        let run = if byte == 0 {
            bytes.next().filter(|run| *run > 0).map(usize::from)?
        } else {
            *plain.get_mut(len)? = byte;
            1
        };
        len = len.checked_add(run)?;
    }
    plain.get(..len)
}

/// Run-length encodes what is written to it.
struct Runs<'s, S> {
    sink: &'s mut S,
    zeros: u8,
}

impl<S: Sink> Runs<'_, S> {
    fn end_run(&mut self) -> Result<(), S::Error> {
        match core::mem::take(&mut self.zeros) {
            0 => Ok(()),
            zeros => self.sink.write(&[0, zeros]),
        }
    }
}

impl<S: Sink> Sink for Runs<'_, S> {
    type Error = S::Error;

    fn write(&mut self, bytes: &[u8]) -> Result<(), S::Error> {
        for byte in bytes {
            if *byte != 0 {
                self.end_run()?;
                self.sink.write(&[*byte])?;
                continue;
            }
            if self.zeros == u8::MAX {
                self.end_run()?;
            }
            self.zeros = self.zeros.saturating_add(1);
        }
        Ok(())
    }
}

pub(super) fn encode_old<W: Sink>(
    login: &Login,
    sink: &mut W,
) -> Result<(), EncodeError<W::Error>> {
    encode(login, &[], sink)
}

pub(super) fn encode_new<W: Sink>(
    login: &Login,
    sink: &mut W,
) -> Result<(), EncodeError<W::Error>> {
    let who = UserIdentity::of(login)?;
    let mut account = [0; ACCOUNT_LEN];
    let mut free = account.as_mut_slice();
    let api_id = api_id(login)?.to_le_bytes();
    // The parts are as long as the account together.
    let _ = free
        .write(&api_id)
        .and_then(|()| free.write(&[u8::from(who.is_bot)]))
        .and_then(|()| free.write(&who.user_id.to_le_bytes()));
    encode(login, &account, sink)
}

fn encode<W: Sink>(
    login: &Login,
    account: &[u8],
    sink: &mut W,
) -> Result<(), EncodeError<W::Error>> {
    let is_test = test_mode(login)?;
    let dc_id = u32::try_from(login.dc_id()).unwrap_or_default();
    if dc_id == 0 {
        return Err(EncodeError::Missing(Field::HomeDcId));
    }
    let mut dc = Text::<DC_MAX>::new();
    dc.decimal(dc_id);
    if is_test {
        dc.str(TEST_SUFFIX);
    }
    let dc = dc.finish();

    let mut base64 = Base64Sink::new(sink);
    let mut runs = Runs {
        sink: &mut base64,
        zeros: 0,
    };
    tl::write(&mut runs, dc.as_bytes())
        .and_then(|()| tl::write(&mut runs, login.auth_key().as_bytes()))
        .and_then(|()| runs.write(account))
        .and_then(|()| runs.end_run())
        .and_then(|()| base64.finish())
        .map_err(EncodeError::Sink)
}
