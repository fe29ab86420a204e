//! Storage drivers that should not be used any more.

use serde_json::json;

use super::{Setting, Version};
use crate::model::{Host, Verdict};

/// A storage driver that the engine once had.
pub(in crate::check) struct Driver {
    /// Its name.
    pub(in crate::check) name: &'static str,
    /// Major version of the engine that does not have it any more.
    pub(in crate::check) gone_since: u32,
}

/// The storage driver in use, with where that is known from.
///
/// # Errors
/// Unknown, where neither the engine nor its daemon's options tell.
pub(in crate::check) fn in_use(host: &Host) -> Result<Setting<'_>, Verdict> {
    let setting = Setting::shown(host, "storage-driver", |engine| engine.storage_driver.clone())?;
    if setting.text()?.is_none() {
        let why = "the engine does not tell its storage driver, and chooses one where none is given";
        return Err(Verdict::unknown(why));
    }
    Ok(setting)
}

/// Whether another driver is in use.
///
/// # Errors
/// Unknown, where that cannot be seen.
pub(in crate::check) fn judge(host: &Host, driver: &Driver) -> Result<Verdict, Verdict> {
    let setting = in_use(host)?;
    let name = setting.text()?.unwrap_or_default();
    if name == driver.name {
        let remedy = setting.set_to(&json!("overlay2"));
        let remedy = format!("{remedy}; images and containers have to be made again");
        return Ok(setting
            .tell(Verdict::fail(setting.is(name), Vec::new()))
            .remedy(remedy));
    }
    let version = host
        .facts
        .engine
        .get()
        .and_then(|engine| Version::parse(&engine.version));
    let Driver {
        name: gone,
        gone_since,
    } = driver;
    let by_nature = match version {
        Some(version) if version.is_since(*gone_since, 0) => {
            format!("; engines since {gone_since}.0 do not have {gone} any more")
        }
        _ => String::new(),
    };
    let reason = format!("{}{by_nature}", setting.is(name));
    Ok(setting.tell(Verdict::pass().because(reason)))
}
