//! The policy file: allow-lists and dated statements, in TOML. `docs/policy.toml` shows every key.

mod attestation;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use crate::model::{CapSet, Policy};

/// A policy as written: names of users are not resolved yet, for that takes a look at the host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyFile {
    /// All of it but the users.
    pub policy: Policy,
    /// Users who may drive a runtime's socket.
    pub trusted_users: Vec<TrustedUser>,
    /// Lines of the attestations, by the key of the check they are about.
    pub attestation_lines: BTreeMap<String, usize>,
}

/// A user as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedUser {
    /// Name or number.
    pub name: String,
    /// Line, from 1.
    pub line: usize,
}

/// Everything that is wrong with a policy file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyErrors(pub Vec<(usize, String)>);

impl fmt::Display for PolicyErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self
            .0
            .iter()
            .map(|(line, what)| format!("line {line}: {what}"))
            .collect();
        f.write_str(&lines.join("; "))
    }
}

impl std::error::Error for PolicyErrors {}

impl PolicyFile {
    /// Reads a policy.
    ///
    /// # Errors
    /// All that is wrong with it, in the order of the lines.
    pub fn parse(text: &str) -> Result<Self, PolicyErrors> {
        let (table, errors) = DeTable::parse_recoverable(text);
        let mut reader = Reader {
            text,
            file: Self::default(),
            errors: Vec::new(),
        };
        for error in errors {
            reader.refuse(error.span().unwrap_or_default(), error.message());
        }
        // What stands in place of a broken value is no further mistake.
        let broken: Vec<_> = reader.errors.iter().map(|(line, _)| *line).collect();
        for (key, value) in table.into_inner() {
            if !broken.contains(&reader.line(&key.span())) {
                reader.entry(&key, value);
            }
        }
        if reader.errors.is_empty() {
            return Ok(reader.file);
        }
        reader.errors.sort();
        Err(PolicyErrors(reader.errors))
    }
}

/// A policy being read.
struct Reader<'a> {
    text: &'a str,
    file: PolicyFile,
    errors: Vec<(usize, String)>,
}

type Field<T> = fn(&mut Policy) -> &mut T;

impl Reader<'_> {
    fn line(&self, span: &Range<usize>) -> usize {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        before.matches('\n').count() + 1
    }

    fn refuse(&mut self, span: Range<usize>, what: impl AsRef<str>) {
        let what = what.as_ref().trim().replace('\n', ", ");
        self.errors.push((self.line(&span), what));
    }

    fn entry(&mut self, key: &Spanned<std::borrow::Cow<'_, str>>, value: Spanned<DeValue<'_>>) {
        match key.get_ref().as_ref() {
            "trusted_users" => self.users(value),
            "allowed_caps" => self.caps(value),
            "attestations" => self.attestations(value),
            "allowed_devices" => self.paths(value, |policy| &mut policy.allowed_devices),
            "allowed_setuid" => self.paths(value, |policy| &mut policy.allowed_setuid),
            "allowed_mounts" => self.paths(value, |policy| &mut policy.allowed_mounts),
            "swarm_expected" => self.set(value, |policy| &mut policy.swarm_expected),
            "rootless_required" => self.set(value, |policy| &mut policy.rootless_required),
            "allowed_cgroup_parents" => self.set(value, |policy| &mut policy.allowed_cgroup_parents),
            "approved_seccomp" => self.set(value, |policy| &mut policy.approved_seccomp),
            "allowed_ports" => self.set(value, |policy| &mut policy.allowed_ports),
            "needed_ports" => self.set(value, |policy| &mut policy.needed_ports),
            "allowed_sources" => self.set(value, |policy| &mut policy.allowed_sources),
            "allowed_digests" => self.set(value, |policy| &mut policy.allowed_digests),
            "denied_packages" => self.set(value, |policy| &mut policy.denied_packages),
            "log_forwarders" => self.set(value, |policy| &mut policy.log_forwarders),
            "required_ulimits" => self.set(value, |policy| &mut policy.required_ulimits),
            "minimum_versions" => self.set(value, |policy| &mut policy.minimum_versions),
            "max_image_age_days" => self.set(value, |policy| &mut policy.max_image_age_days),
            "max_node_cert_hours" => self.set(value, |policy| &mut policy.max_node_cert_hours),
            "max_ca_age_days" => self.set(value, |policy| &mut policy.max_ca_age_days),
            "max_unlock_key_age_days" => self.set(value, |policy| &mut policy.max_unlock_key_age_days),
            "max_stopped_containers" => self.set(value, |policy| &mut policy.max_stopped_containers),
            "max_unused_images_percent" => self.set(value, |policy| &mut policy.max_unused_images_percent),
            unknown => self.refuse(key.span(), format!("there is no key `{unknown}`")),
        }
    }

    /// A value of a type; none where it is of another, which is then refused.
    fn read<T: DeserializeOwned>(&mut self, value: Spanned<DeValue<'_>>) -> Option<T> {
        let span = value.span();
        match T::deserialize(ValueDeserializer::from(value)) {
            Ok(read) => Some(read),
            Err(error) => {
                self.refuse(error.span().unwrap_or(span), error.message());
                None
            }
        }
    }

    fn set<T: DeserializeOwned>(&mut self, value: Spanned<DeValue<'_>>, field: Field<T>) {
        if let Some(read) = self.read(value) {
            *field(&mut self.file.policy) = read;
        }
    }

    fn paths(&mut self, value: Spanned<DeValue<'_>>, field: Field<Vec<String>>) {
        let paths: Vec<Spanned<String>> = self.read(value).unwrap_or_default();
        for path in paths {
            let (span, path) = (path.span(), path.into_inner());
            if path.starts_with('/') {
                field(&mut self.file.policy).push(path);
            } else {
                self.refuse(span, format!("`{path}` is not an absolute path"));
            }
        }
    }

    fn caps(&mut self, value: Spanned<DeValue<'_>>) {
        let names: Vec<Spanned<String>> = self.read(value).unwrap_or_default();
        for name in names {
            match CapSet::named(name.get_ref()) {
                Some(cap) => {
                    let all = &mut self.file.policy.allowed_caps;
                    *all = all.or(cap);
                }
                None => self.refuse(
                    name.span(),
                    format!("there is no capability `{}`", name.get_ref()),
                ),
            }
        }
    }

    fn users(&mut self, value: Spanned<DeValue<'_>>) {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum User {
            Number(u32),
            Name(String),
        }
        let users: Vec<Spanned<User>> = self.read(value).unwrap_or_default();
        for user in users {
            let line = self.line(&user.span());
            let name = match user.into_inner() {
                User::Number(number) => number.to_string(),
                User::Name(name) => name,
            };
            self.file.trusted_users.push(TrustedUser { name, line });
        }
    }

    fn attestations(&mut self, value: Spanned<DeValue<'_>>) {
        let span = value.span();
        let DeValue::Table(table) = value.into_inner() else {
            return self.refuse(span, "attestations are tables, `[attestations.KEY]`");
        };
        for (key, value) in table {
            let (at, key) = (key.span(), key.into_inner().into_owned());
            let Some(written) = self.read::<attestation::Written>(value) else {
                continue;
            };
            match written.into_attestation() {
                Ok(attestation) => {
                    let line = self.line(&at);
                    self.file.attestation_lines.insert(key.clone(), line);
                    self.file.policy.attestations.insert(key, attestation);
                }
                Err(what) => self.refuse(at, what),
            }
        }
    }
}

#[cfg(test)]
mod tests;
