//! Images of a region on a computer.

use crate::common::{load, mount, new_log, pull};
use mtsession_embedded::image::{self, Layout};
use mtsession_embedded::sim::{Chip, Dice, Plain, fresh_session};

const LAYOUT: Layout = Layout {
    write: 8,
    erase: 2048,
};

#[test]
fn a_provisioned_image_boots_and_a_dump_is_read() {
    let session = fresh_session(&mut Dice::new(1), 3, 12, 15);
    let bytes = image::provision(4 * 2048, LAYOUT, &session).unwrap();
    let mut chip = Chip::<8, 2048>::new(4 * 2048);
    chip.bytes.copy_from_slice(&bytes);
    let mut log = mount(chip).unwrap();
    assert_eq!(load(&mut log).unwrap(), Some(session.clone()));

    let mut log = new_log::<8, 2048>(4 * 2048);
    log.save(&session).unwrap();
    let dump = pull(log).bytes;
    let mut found = Plain::default();
    let report = image::load(&dump, LAYOUT, &mut found).unwrap();
    assert!(report.present && report.stats.damaged == 0);
    assert_eq!(found, session);
}

#[test]
fn what_is_left_of_a_damaged_image_is_loaded() {
    let session = fresh_session(&mut Dice::new(1), 3, 12, 15);
    let mut bytes = image::provision(4 * 2048, LAYOUT, &session).unwrap();
    let key = session.dcs[1].auth_key.unwrap();
    let at = bytes.windows(256).position(|bytes| *bytes == key).unwrap();
    bytes[at + 9..at + 90].fill(0);
    let mut found = Plain::default();
    let report = image::load(&bytes, LAYOUT, &mut found).unwrap();
    assert!(report.stats.damaged > 0);
    assert_eq!(found.dcs, [session.dcs[0].clone(), session.dcs[2].clone()]);
    assert_eq!(found.peers, session.peers);
    let wrong = Layout { write: 4, ..LAYOUT };
    let error = image::load(&bytes, wrong, &mut found).unwrap_err();
    assert!(error.to_string().contains("units of 8"), "{error}");
}
