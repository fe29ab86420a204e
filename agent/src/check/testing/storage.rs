//! The cases of a storage driver that should not be used.

use serde_json::json;

use super::super::Check;
use super::super::support::storage::Driver;
use super::daemon::{check_one, engine, nobody, set, unset};
use crate::model::Fact;
use crate::model::VerdictKind::{Fail, Pass, Unknown};

#[track_caller]
pub(in crate::check) fn pass_another_driver(check: &Check, driver: &Driver) {
    let gone = format!(
        "engines since {}.0 do not have {} any more",
        driver.gone_since, driver.name
    );
    check_one(check, |_| {}, Pass, &gone);
    let old = check_one(
        check,
        |host| engine(host).version = "20.10.24".into(),
        Pass,
        "overlay2",
    );
    assert!(!old.reason.contains("any more"));
}

#[track_caller]
pub(in crate::check) fn fail_the_driver(check: &Check, driver: &Driver) {
    let used = |host: &mut crate::model::Host| engine(host).storage_driver = Some(driver.name.into());
    check_one(check, used, Fail, "as the engine shows");
    let told = |host: &mut crate::model::Host| {
        host.facts.engine = Fact::unknown("no engine answers");
        set(host, "storage-driver", json!(driver.name));
    };
    let verdict = check_one(check, told, Fail, "in /etc/docker/daemon.json");
    assert!(
        verdict
            .remedy
            .unwrap()
            .starts_with("Put \"storage-driver\": \"overlay2\" in /etc/docker")
    );
}

#[track_caller]
pub(in crate::check) fn unknown_where_nobody_tells(check: &Check) {
    check_one(check, nobody, Unknown, "no dockerd was found");
    let chosen = |host: &mut crate::model::Host| {
        engine(host).storage_driver = None;
        unset(host, "storage-driver");
    };
    check_one(check, chosen, Unknown, "chooses one where none is given");
}
