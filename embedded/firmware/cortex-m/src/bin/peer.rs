//! The job of `log` done with sequential-storage: its map with all caches, one postcard `Change` per
//! key. It has no transactions: a `save` that is interrupted leaves a mixture.
#![no_std]
#![no_main]

use core::hint::black_box;

use firmware_cortex_m::{Ram, SIZE, block_on};
use mtsession_core::{Change, FixedSession, SessionMut, SessionSource, UpdateChange};
use sequential_storage::cache::Cache;
use sequential_storage::cache::key_pointers::ArrayKeyPointers;
use sequential_storage::cache::page_pointers::ArrayPagePointers;
use sequential_storage::cache::page_states::ArrayPageStates;
use sequential_storage::map::{MapConfig, MapStorage};

type Caches =
    Cache<ArrayPageStates<4>, ArrayPagePointers<4>, ArrayKeyPointers<u16, 128>, u16>;
type Map = MapStorage<u16, Ram, Caches>;

#[cortex_m_rt::entry]
fn main() -> ! {
    if let Some(flash) = firmware_cortex_m::region() {
        let _ = black_box(block_on(run(flash)));
    }
    loop {}
}

async fn run(flash: Ram) -> Option<()> {
    let mut session = FixedSession::<6, 32, 64, 16, 32>::new();
    let caches = Cache::new(
        ArrayPageStates::<4>::new(),
        ArrayPagePointers::<4>::new(),
        ArrayKeyPointers::<u16, 128>::new(),
    );
    let mut map = Map::new(flash, MapConfig::new(0..SIZE as u32), caches);
    load(&mut map, &mut session).await?;
    let primary = UpdateChange::Primary { pts: black_box(7), date: 1_750_000_000, seq: 1 };
    put(&mut map, 1, black_box(&Change::Update(primary))).await?;
    save(&mut map, &session).await
}

async fn load(map: &mut Map, session: &mut impl SessionMut) -> Option<()> {
    let mut buffer = [0; 1024];
    for key in 0..512 {
        if let Some(bytes) = map.fetch_item::<&[u8]>(&mut buffer, &key).await.ok()? {
            let (change, _) = Change::decode(bytes).ok()?;
            session.apply(&change).ok()?;
        }
    }
    Some(())
}

#[inline(never)]
async fn put(map: &mut Map, key: u16, change: &Change<'_>) -> Option<()> {
    let (mut data, mut buffer) = ([0; 1024], [0; 512]);
    let value: &[u8] = change.encode(&mut buffer).ok()?;
    map.store_item(&mut data, &key, &value).await.ok()
}

async fn save(map: &mut Map, session: &impl SessionSource) -> Option<()> {
    let header = [
        Change::HomeDc(session.home_dc_id()),
        Change::Update(UpdateChange::Counters(session.counters())),
        Change::Account(session.account()),
        Change::FutureAuthToken(session.future_auth_token()),
    ];
    let channels = session.channels();
    let channels =
        channels.map(|known| Change::Update(UpdateChange::Channel { id: known.id, pts: known.pts }));
    let changes = header
        .into_iter()
        .chain(session.dcs().map(Change::Dc))
        .chain(channels)
        .chain(session.peers().map(Change::Peer))
        .chain(session.min_peers().map(Change::MinPeer));
    for (key, change) in (0..).zip(changes) {
        put(map, key, &change).await?;
    }
    Some(())
}
