//! Alt texts that X would take and nobody is helped by: told, refused or let through, as asked.

use crate::{
    manifest::{csv, id, text},
    world::World,
};

/// Two file names, one placeholder and a good text.
fn mixed() -> String {
    let texts = ["IMG_1234.jpg", "TODO", &text(2), "scan0001.png"];
    let rows = texts
        .iter()
        .enumerate()
        .map(|(number, text)| vec![id(number), (*text).to_owned()]);
    csv(&["media_id", "alt_text"], rows)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_of_little_use_are_counted_by_rule_and_sent_all_the_same() {
    let world = World::new().await;
    world.write("m.csv", mixed());
    let finished = world.send(&["run", "m.csv"]).await.ended(0);
    assert_eq!(finished.number("done"), 4);
    for said in [
        "alt-file-name: 2 alt texts, first on line 2",
        "alt-placeholder: 1 alt text, first on line 3",
    ] {
        assert!(finished.stderr.contains(said), "{said}: {finished:?}");
    }
    let off = world
        .run(&["check", "m.csv", "--lint", "off"])
        .await
        .ended(0);
    assert!(!off.stderr.contains("alt-"), "{off:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_errors_they_are_invalid_rows() {
    let world = World::new().await;
    world.write("m.csv", mixed());
    let strict = ["--lint", "error", "--json"];
    let checked = world
        .run(&[&["check", "m.csv"], &strict[..]].concat())
        .await;
    let checked = checked.ended(3);
    assert_eq!(checked.number("invalid"), 3);
    assert_eq!(checked.json()["faults"]["alt-file-name"], 2);
    assert!(checked.stderr.contains("line 5"), "{checked:?}");
    world
        .run(&["plan", "m.csv", "--lint", "error"])
        .await
        .ended(3);
    let words = ["run", "m.csv", "--lint", "error", "--skip-invalid"];
    let sent = world.send(&words).await.ended(4);
    assert_eq!((sent.number("done"), sent.number("invalid")), (1, 3));
    assert_eq!(world.ledger().seen(&id(0)), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_text_on_many_images_is_told_across_manifests() {
    let world = World::new().await;
    let part = |from: usize| {
        let rows = (from..from + 6).map(|number| vec![id(number), "Our logo in red".to_owned()]);
        csv(&["media_id", "alt_text"], rows)
    };
    world.write("one.csv", part(0));
    world.write("two.csv", part(6));
    let one = world.run(&["check", "one.csv"]).await.ended(0);
    assert!(!one.stderr.contains("alt-repeated"), "{one:?}");
    let both = world.run(&["check", "one.csv", "two.csv"]).await.ended(0);
    assert!(
        both.stderr
            .contains("two.csv: alt-repeated: 1 alt text, first on line 5"),
        "{both:?}"
    );
}
