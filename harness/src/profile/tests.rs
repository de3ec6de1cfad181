//! Profiles are plans, each of whose settings has a source, and nothing of them is a default by accident.

use quorate_node::config::{HintHolder, Level, ReadRepair, Resolution, Tie, Versions};

use super::Profile;
use crate::plan::{Plan, PlanSpec};

fn plan(name: &str) -> Plan {
    let spec = PlanSpec {
        profile: Some(name.to_owned()),
        ..PlanSpec::default()
    };
    spec.plan(1).expect("a plan")
}

#[test]
fn every_profile_is_a_plan_and_every_setting_has_a_source() {
    for profile in Profile::ALL {
        let name = profile.name;
        assert_eq!(plan(name).store.n, 3, "{name}");
        assert!(
            profile.paragraph.contains("Differs from the real one"),
            "{name}"
        );
        assert!(profile.settings.len() >= 9, "{name}");
        let mut keys: Vec<&str> = profile.settings.iter().map(|setting| setting.key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(
            keys.len(),
            profile.settings.len(),
            "{name} says something twice"
        );
        for setting in profile.settings {
            assert!(setting.source.len() > 7, "{name}: {setting:?}");
            assert!(!setting.source.contains('\n'), "{name}: {setting:?}");
        }
    }
}

#[test]
fn profiles_are_what_they_are_known_for() {
    let cassandra = plan("cassandra");
    let Versions::Lww(stamping) = cassandra.store.options.versions else {
        panic!("cassandra has stamps");
    };
    assert_eq!(
        (stamping.resolution, stamping.tie),
        (Resolution::Millisecond, Tie::LargerValue)
    );
    assert_eq!(cassandra.store.read_repair, ReadRepair::Blocking);
    assert_eq!(cassandra.load.read_level, Some(Level::Quorum));
    assert!(!cassandra.store.options.sloppy);
    for name in ["dynamo", "riak"] {
        let options = plan(name).store.options;
        assert!(options.sloppy, "{name}");
        assert_eq!(options.versions, Versions::Dvv { siblings: true }, "{name}");
        assert_eq!(options.hints.holder, HintHolder::Fallback, "{name}");
    }
    let voldemort = plan("voldemort").store.options;
    assert_eq!(voldemort.anti_entropy.interval_ms, None);
    assert!(plan("dynamodb").store.options.leader.is_some());
    assert!(plan("single-leader").store.options.leader.is_some());
}

#[test]
fn flags_and_files_win_over_a_profile_and_a_profile_over_defaults() {
    let text = "profile = \"cassandra\"\nread-level = \"one\"\n[store]\nhints = \"nobody\"";
    let file = PlanSpec::from_toml(text, "plan.toml").expect("a file");
    let flags = PlanSpec {
        profile: Some("riak".to_owned()),
        w: Some(3),
        ..PlanSpec::default()
    };
    let plan = file.clone().plan(1).expect("a plan");
    assert_eq!(plan.load.read_level, Some(Level::One));
    assert_eq!(plan.load.write_level, Some(Level::Quorum));
    assert_eq!(plan.store.options.hints.holder, HintHolder::Nobody);
    assert!(
        plan.store.options.reads.digest,
        "what the file does not say"
    );
    // A profile on the command line replaces that of the file; what the file says besides stays.
    let both = PlanSpec {
        store: Some(crate::plan::StoreSpec {
            hints: Some("fallback".to_owned()),
            ..Default::default()
        }),
        ..flags
    };
    let plan = both.over(file).plan(1).expect("a plan");
    assert_eq!((plan.store.w, plan.store.r), (3, 2));
    assert!(plan.store.options.sloppy);
    assert_eq!(plan.load.write_level, None);
}

#[test]
fn a_number_of_replicas_hides_the_level_of_a_profile() {
    let spec = PlanSpec {
        profile: Some("cassandra".to_owned()),
        r: Some(1),
        ..PlanSpec::default()
    };
    let plan = spec.plan(1).expect("a plan");
    assert_eq!((plan.load.read_level, plan.store.r), (None, 1));
    assert_eq!(plan.load.write_level, Some(Level::Quorum));
}

#[test]
fn the_plan_that_is_saved_is_expanded() {
    let plan = plan("riak");
    let json = plan.to_json();
    assert!(!json.contains("riak"), "{json}");
    assert_eq!(Plan::from_json(&json, "plan.json").expect("a plan"), plan);
}

#[test]
fn a_profile_that_does_not_exist_is_refused_with_the_nearest() {
    let spec = PlanSpec {
        profile: Some("casandra".to_owned()),
        ..PlanSpec::default()
    };
    let refusal = spec.plan(1).expect_err("refused").to_string();
    assert!(refusal.contains("did you mean `cassandra`?"), "{refusal}");
}
