//! One pattern: a name with `*` and `?`, `label=KEY[=VALUE]`, or an expression in CEL.

use std::collections::BTreeMap;
use std::sync::Arc;

use cel::{Context, Env, Program, Value};

use crate::cli::bench::glob;

/// Digits of an id in its short form.
const SHORT_ID: usize = 12;
/// Longest expression that is taken.
const LONGEST: usize = 4096;

/// A container or image, as patterns see it.
#[derive(Debug)]
pub(super) struct Subject {
    /// `container` or `image`: also its name in expressions.
    pub(super) kind: &'static str,
    /// Its names.
    pub(super) names: Vec<String>,
    /// Its full id.
    pub(super) id: String,
    /// Its labels: `labels` in expressions.
    pub(super) labels: BTreeMap<String, String>,
    /// All that is known of it.
    pub(super) value: Value,
}

/// A pattern as given, and what it means.
#[derive(Debug)]
pub(super) struct Pattern {
    text: String,
    meaning: Meaning,
}

enum Meaning {
    Name,
    Label { key: String, value: Option<String> },
    Expression { env: Arc<Env>, program: Program },
}

impl std::fmt::Debug for Meaning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Name => "name",
            Self::Label { .. } => "label",
            Self::Expression { .. } => "expression",
        })
    }
}

impl Pattern {
    /// Reads a pattern. What begins with `container.` or `image.`, or holds anything that no name has, is an
    /// expression.
    ///
    /// # Errors
    /// An expression that is none, in one line.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let meaning = if let Some(label) = text.strip_prefix("label=") {
            let (key, value) = label
                .split_once('=')
                .map_or((label, None), |(key, value)| (key, Some(value.to_owned())));
            let key = key.to_owned();
            Meaning::Label { key, value }
        } else if is_expression(text) {
            let env = Arc::new(Env::stdlib());
            let program = compile(&env, text)?;
            Meaning::Expression { env, program }
        } else {
            Meaning::Name
        };
        Ok(Self {
            text: text.to_owned(),
            meaning,
        })
    }

    /// As it was given.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether a subject is meant.
    ///
    /// # Errors
    /// The expression cannot be evaluated for it, or gives neither true nor false.
    pub(super) fn matches(&self, subject: &Subject) -> Result<bool, String> {
        match &self.meaning {
            Meaning::Name => {
                let mut names = subject.names.iter();
                Ok(is_id(&self.text, &subject.id) || names.any(|name| glob::matches(&self.text, name)))
            }
            Meaning::Label { key, value } => Ok(subject
                .labels
                .get(key)
                .is_some_and(|has| value.as_ref().is_none_or(|wanted| wanted == has))),
            Meaning::Expression { env, program } => self.evaluate(env, program, subject),
        }
    }

    fn evaluate(&self, env: &Arc<Env>, program: &Program, subject: &Subject) -> Result<bool, String> {
        let failed = |why: String| {
            let name = subject.names.first().unwrap_or(&subject.id);
            format!(
                "`{}` cannot be decided for {} {name}: {why}",
                self.text, subject.kind
            )
        };
        let mut context = Context::with_env(Arc::clone(env));
        context.add_variable_from_value(subject.kind, subject.value.clone());
        context
            .add_variable("labels", &subject.labels)
            .map_err(|error| failed(error.to_string()))?;
        match program.execute(&context) {
            Ok(Value::Bool(verdict)) => Ok(verdict),
            Ok(_) => Err(failed("it gives neither true nor false".to_owned())),
            Err(error) => Err(failed(error.to_string())),
        }
    }
}

/// Whether a text is an id, whole or as short as engines print it. Wildcards are for names: the digits of ids are chance,
/// and `*db*` would be in every fourth.
fn is_id(text: &str, id: &str) -> bool {
    let (text, id) = (bare(text), bare(id));
    text == id || text.len() >= SHORT_ID && id.starts_with(text)
}

/// An id without its algorithm, as engines print it.
fn bare(id: &str) -> &str {
    id.strip_prefix("sha256:").unwrap_or(id)
}

fn is_expression(text: &str) -> bool {
    let of_names = |c: char| c.is_alphanumeric() || "_.-*?/:@+".contains(c);
    text.starts_with("container.") || text.starts_with("image.") || !text.chars().all(of_names)
}

fn compile(env: &Env, text: &str) -> Result<Program, String> {
    if text.len() > LONGEST {
        return Err(format!("an expression has at most {LONGEST} letters"));
    }
    env.compile(text).map_err(|errors| {
        let first = errors
            .errors
            .first()
            .map_or_else(String::new, |error| format!(": {}", error.msg));
        format!("`{text}` is no expression{first}")
    })
}
