//! Which cgroup hierarchy tells containers apart.

use std::fs;
use std::str::FromStr;

use hullwatch_common::OFFSET_MISSING;

use super::KernelError;
use super::btf::Btf;

/// Version 1 controllers that can stand for version 2, best first.
const V1_CONTROLLERS: [&str; 3] = ["pids", "memory", "cpu"];

/// What the operator asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CgroupModeChoice {
    /// Version 2 where it is mounted, else the first of [`V1_CONTROLLERS`] that is.
    #[default]
    Auto,
    /// The unified hierarchy.
    V2,
    /// The hierarchy of one version 1 controller.
    V1(String),
}

impl FromStr for CgroupModeChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            None if text == "auto" => Ok(Self::Auto),
            None if text == "v2" => Ok(Self::V2),
            Some(("v1", controller)) if !controller.is_empty() => Ok(Self::V1(controller.to_owned())),
            _ => Err(format!(
                "`{text}` is no cgroup hierarchy; use auto, v2 or v1:CONTROLLER"
            )),
        }
    }
}

/// What the probes are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CgroupMode {
    /// Index of the version 1 controller in `css_set.subsys`, or [`OFFSET_MISSING`].
    pub subsys: u32,
    /// Hierarchy id; 0 is version 2.
    pub hierarchy: u32,
}

impl CgroupMode {
    /// The unified hierarchy.
    pub const V2: Self = Self {
        subsys: OFFSET_MISSING,
        hierarchy: 0,
    };

    /// Finds the hierarchy on this host.
    ///
    /// # Errors
    /// [`KernelError::Cgroup`] where it is not there.
    pub fn find(choice: &CgroupModeChoice, btf: &Btf) -> Result<Self, KernelError> {
        match choice {
            CgroupModeChoice::V2 => Ok(Self::V2),
            CgroupModeChoice::Auto if unified_is_mounted() => Ok(Self::V2),
            CgroupModeChoice::Auto => V1_CONTROLLERS
                .iter()
                .find_map(|controller| Self::v1(controller, btf).ok())
                .ok_or_else(|| {
                    KernelError::Cgroup("neither version 2 nor pids, memory or cpu is mounted".to_owned())
                }),
            CgroupModeChoice::V1(controller) => Self::v1(controller, btf),
        }
    }

    fn v1(controller: &str, btf: &Btf) -> Result<Self, KernelError> {
        let table = fs::read_to_string("/proc/cgroups").unwrap_or_default();
        let hierarchy = hierarchy_of(&table, controller).ok_or_else(|| {
            KernelError::Cgroup(format!("controller {controller} is in no version 1 hierarchy"))
        })?;
        let subsys = btf
            .enum_value(Some("cgroup_subsys_id"), &format!("{controller}_cgrp_id"))
            .and_then(|value| u32::try_from(value).ok())
            .filter(|index| *index < 32)
            .ok_or_else(|| KernelError::Cgroup(format!("this kernel knows no controller {controller}")))?;
        Ok(Self { subsys, hierarchy })
    }
}

fn unified_is_mounted() -> bool {
    fs::read_to_string("/proc/self/mountinfo").is_ok_and(|text| {
        text.lines().any(|line| {
            line.split(" - ")
                .nth(1)
                .is_some_and(|rest| rest.starts_with("cgroup2 "))
        })
    })
}

/// Hierarchy of a controller in `/proc/cgroups` (name, hierarchy, number of cgroups, enabled); 0 there
/// means that no version 1 hierarchy has it.
fn hierarchy_of(table: &str, controller: &str) -> Option<u32> {
    let line = table
        .lines()
        .find(|line| line.split_whitespace().next() == Some(controller))?;
    line.split_whitespace()
        .nth(1)?
        .parse()
        .ok()
        .filter(|hierarchy| *hierarchy != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_read_and_others_refused() {
        assert_eq!("auto".parse(), Ok(CgroupModeChoice::Auto));
        assert_eq!("v1:pids".parse(), Ok(CgroupModeChoice::V1("pids".into())));
        assert!("v1:".parse::<CgroupModeChoice>().is_err());
        assert!("v3".parse::<CgroupModeChoice>().unwrap_err().contains("auto, v2"));
    }

    #[test]
    fn a_controller_of_version_2_has_no_version_1_hierarchy() {
        let table = "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t0\t90\t1\npids\t8\t12\t1\n";
        assert_eq!(hierarchy_of(table, "pids"), Some(8));
        assert_eq!(hierarchy_of(table, "cpu"), None);
        assert_eq!(hierarchy_of(table, "io"), None);
    }
}
