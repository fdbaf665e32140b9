//! Whatever the bytes are, reading ends, and ends well.

use proptest::prelude::*;

use super::fixtures::*;
use super::incremental::check_cuts;
use super::replay::{read_all, replay};
use crate::capture::claude::Watermark;

proptest! {
    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read_all(&bytes);
    }

    #[test]
    fn any_json_is_read(text in r#"([\[\]{}:,"0-9a-z \\]|"(type|uuid|message|content|user)":|\n){0,60}"#) {
        read_all(text.as_bytes());
    }

    #[test]
    fn any_change_of_real_lines_is_read(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20)) {
        let mut bytes = everything().into_bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let (steps, outcome) = read_all(&bytes);
        replay(&steps);
        prop_assert!(outcome.watermark.bytes() <= bytes.len() as u64);
        check_cuts(&bytes, &[bytes.len() / 2], "changed");
    }

    #[test]
    fn any_exchange_of_values_is_read(swaps in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..10)) {
        // Words are what stands between quotes: ids, parents, types and texts change places.
        let text = everything();
        let mut words: Vec<&str> = text.split('"').collect();
        for (left, right) in swaps {
            let (left, right) = (left.index(words.len() / 2) * 2 + 1, right.index(words.len() / 2) * 2 + 1);
            let last = words.len() - 1;
            words.swap(left.min(last), right.min(last));
        }
        let text = words.join("\"");
        check_cuts(text.as_bytes(), &[text.len() / 3, text.len() / 2], "exchanged");
    }

    #[test]
    fn any_watermark_is_refused_or_harmless(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let text = everything();
        let mut json = read_all(&text.as_bytes()[..text.len() / 2]).1.watermark.to_json().into_bytes();
        let at = at.index(json.len());
        json[at] = byte;
        if let Ok(Ok(watermark)) = String::from_utf8(json).map(|json| Watermark::from_json(&json)) {
            let sink = &mut |_| std::ops::ControlFlow::Continue(());
            drop(crate::capture::claude::resume(std::io::Cursor::new(&text), &watermark, sink));
        }
    }
}

#[test]
fn depth_does_not_overflow() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let text = user("u1", "", &deep, "") + &format!("{{\"type\":\"x\",\"y\":{deep}}}\n") + &deep + "\n";
    assert_eq!(read_all(text.as_bytes()).0.len(), 3);
    let broken = "{\"a\":".repeat(100_000) + "\n";
    assert_eq!(read_all(broken.as_bytes()).1.summary.broken, 1);
}

#[test]
fn many_rewinds_end_in_order() {
    let mut text = says("a0", "", "m0", "x");
    for number in 1..3000 {
        text += &prompt(&format!("u{number}"), "a0", "again");
    }
    let (steps, outcome) = read_all(text.as_bytes());
    assert_eq!(outcome.summary.rewinds, 999);
    assert_eq!(outcome.summary.prompts, 2999);
    replay(&steps);
}
