//! Shell scripts of image builds, split into simple commands. No shell: what it cannot split it keeps together.

/// Commands of one script that are looked at.
const COMMANDS: usize = 4096;
/// Scripts within scripts (`sh -c "…"`) that are opened.
const DEPTH: u8 = 2;
/// Shells by name.
const SHELLS: [&str; 7] = ["ash", "bash", "busybox", "dash", "ksh", "sh", "zsh"];
/// Words that a command may stand behind.
const BEFORE: [&str; 19] = [
    "!",
    "{",
    "}",
    "command",
    "do",
    "done",
    "eatmydata",
    "elif",
    "else",
    "env",
    "exec",
    "fi",
    "if",
    "nice",
    "sudo",
    "then",
    "time",
    "until",
    "while",
];

/// A simple command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::check) struct Command {
    /// The program and its arguments, quotes removed.
    pub(in crate::check) words: Vec<String>,
    /// Whether its input is the output of the command before.
    pub(in crate::check) piped: bool,
}

impl Command {
    /// Name of the program, without its directory.
    pub(in crate::check) fn program(&self) -> &str {
        let path = self.words.first().map_or("", String::as_str);
        path.rsplit('/').next().unwrap_or(path)
    }

    /// Its arguments.
    pub(in crate::check) fn arguments(&self) -> impl Iterator<Item = &str> {
        self.words.iter().skip(1).map(String::as_str)
    }

    /// Whether it is a shell.
    pub(in crate::check) fn is_shell(&self) -> bool {
        SHELLS.contains(&self.program())
    }

    /// Arguments that are no options: `update` of `apt-get -o A=b -y update`. An option of `valued` takes the argument
    /// after it.
    pub(in crate::check) fn operands(&self, valued: &[&str]) -> Vec<&str> {
        let mut arguments = self.arguments();
        let mut operands = Vec::new();
        while let Some(argument) = arguments.next() {
            if valued.contains(&argument) {
                arguments.next();
            } else if !argument.starts_with('-') {
                operands.push(argument);
            }
        }
        operands
    }

    /// The script that a shell is given by `-c`.
    fn script(&self) -> Option<&str> {
        if !self.is_shell() {
            return None;
        }
        let is_c = |word: &str| word.starts_with('-') && !word.starts_with("--") && word.ends_with('c');
        self.arguments().skip_while(|word| !is_c(word)).nth(1)
    }

    /// Takes away what stands before the program: keywords, programs that run others, assignments.
    fn bare(mut self) -> Self {
        let mut wrapped = false;
        let first = self.words.iter().position(|word| {
            if BEFORE.contains(&word.as_str()) {
                wrapped = true;
                return false;
            }
            !(is_assignment(word) || wrapped && word.starts_with('-'))
        });
        self.words.drain(..first.unwrap_or(self.words.len()));
        self
    }
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric())
    })
}

/// The simple commands of a script, those of scripts that it hands to shells included.
pub(in crate::check) fn commands(script: &str) -> Vec<Command> {
    let mut all = Vec::new();
    collect(script, DEPTH, &mut all);
    all
}

fn collect(script: &str, depth: u8, all: &mut Vec<Command>) {
    for command in Lexer::new(script).split() {
        if all.len() >= COMMANDS {
            return;
        }
        let inner = command.script().map(ToOwned::to_owned);
        all.push(command);
        if let (Some(inner), Some(depth)) = (inner, depth.checked_sub(1)) {
            collect(&inner, depth, all);
        }
    }
}

/// Splits a script at unquoted operators and blanks.
struct Lexer<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    commands: Vec<Command>,
    command: Command,
    word: String,
    /// Whether a word has begun, empty or not.
    in_word: bool,
    before: char,
    /// What ends the text that is fed to a command of this line (`<<EOF`), where that is no shell.
    fed_until: Option<String>,
}

impl<'a> Lexer<'a> {
    fn new(script: &'a str) -> Self {
        Self {
            rest: script.chars().peekable(),
            commands: Vec::new(),
            command: Command::default(),
            word: String::new(),
            in_word: false,
            before: '\n',
            fed_until: None,
        }
    }

    fn split(mut self) -> Vec<Command> {
        while let Some(c) = self.rest.next() {
            self.take(c);
            self.before = c;
        }
        self.end_command(false);
        self.commands
    }

    fn take(&mut self, c: char) {
        match c {
            '\\' => self.escape(),
            '\'' => self.quote(c, false),
            '"' => self.quote(c, true),
            '`' => self.keep_until('`'),
            '(' if matches!(self.before, '$' | '<' | '>') => self.keep_parentheses(),
            '#' if !self.in_word => while self.rest.next_if(|c| *c != '\n').is_some() {},
            '&' if self.before == '>' || self.rest.peek() == Some(&'>') => self.push(c),
            '|' => {
                let or = self.rest.next_if_eq(&'|').is_some();
                self.end_command(!or);
            }
            '\n' => self.end_line(),
            ';' | '&' | '(' | ')' => self.end_command(false),
            c if c.is_whitespace() => self.end_word(),
            c => self.push(c),
        }
    }

    fn push(&mut self, c: char) {
        self.in_word = true;
        self.word.push(c);
    }

    fn escape(&mut self) {
        if let Some(next) = self.rest.next().filter(|next| *next != '\n') {
            self.push(next);
        }
    }

    fn quote(&mut self, mark: char, escapes: bool) {
        self.in_word = true;
        while let Some(c) = self.rest.next() {
            match c {
                c if c == mark => return,
                '\\' if escapes => self.escape(),
                c => self.word.push(c),
            }
        }
    }

    fn keep_until(&mut self, mark: char) {
        self.push(mark);
        while let Some(c) = self.rest.next().filter(|c| *c != mark) {
            self.word.push(c);
        }
        self.word.push(mark);
    }

    /// `$(…)` and `<(…)` stay part of their word.
    fn keep_parentheses(&mut self) {
        self.push('(');
        let mut depth = 1_u32;
        while depth > 0
            && let Some(c) = self.rest.next()
        {
            depth = match c {
                '(' => depth.saturating_add(1),
                ')' => depth.saturating_sub(1),
                _ => depth,
            };
            self.word.push(c);
        }
    }

    fn end_word(&mut self) {
        if std::mem::take(&mut self.in_word) {
            let word = std::mem::take(&mut self.word);
            let feeds = word.strip_prefix("<<").filter(|name| !name.starts_with('<'));
            if let Some(name) = feeds
                && !self.command.words.is_empty()
                && !self.command.is_shell()
            {
                self.fed_until = Some(name.trim_start_matches('-').to_owned());
            }
            self.command.words.push(word);
        }
    }

    /// Ends the command and skips the text that it is fed: only a shell would run that.
    fn end_line(&mut self) {
        self.end_command(false);
        let Some(name) = self.fed_until.take() else {
            return;
        };
        let mut line = String::new();
        while line.trim() != name && self.rest.peek().is_some() {
            line.clear();
            while let Some(c) = self.rest.next().filter(|c| *c != '\n') {
                line.push(c);
            }
        }
    }

    /// Ends the command; the next one is fed by it where `pipes`.
    fn end_command(&mut self, pipes: bool) {
        self.end_word();
        let next = Command {
            words: Vec::new(),
            piped: pipes,
        };
        let ended = std::mem::replace(&mut self.command, next).bare();
        if !ended.words.is_empty() {
            self.commands.push(ended);
        } else if ended.piped {
            self.command.piped = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(script: &str, expect: &[&[&str]]) {
        let found: Vec<_> = commands(script)
            .into_iter()
            .map(|command| command.words)
            .collect();
        assert_eq!(found, expect, "{script}");
    }

    #[test]
    fn operators_split_and_quotes_keep_together() {
        check(
            "a b && c; d | e || f\ng & h",
            &[&["a", "b"], &["c"], &["d"], &["e"], &["f"], &["g"], &["h"]],
        );
        check(
            "a 'b && c' \"d; \\\" e\" f\\ g ''",
            &[&["a", "b && c", "d; \" e", "f g", ""]],
        );
        check("a \\\n  b # c && d\ne#f", &[&["a", "b"], &["e#f"]]);
        check(
            "a > /dev/null 2>&1 && b &> c",
            &[&["a", ">", "/dev/null", "2>&1"], &["b", "&>", "c"]],
        );
        check("(a; b) && { c; }", &[&["a"], &["b"], &["c"]]);
        check(
            "bash <(curl -s x) $(id -u; id)",
            &[&["bash", "<(curl -s x)", "$(id -u; id)"]],
        );
    }

    #[test]
    fn what_stands_before_a_program_is_taken_away() {
        check(
            "if ! A=1 sudo -E apt update; then b; fi",
            &[&["apt", "update"], &["b"]],
        );
        check("A=1 B=2", &[]);
    }

    #[test]
    fn scripts_within_scripts_are_opened() {
        check(
            "bash -eo pipefail -c 'a && b'",
            &[&["bash", "-eo", "pipefail", "-c", "a && b"], &["a"], &["b"]],
        );
    }

    #[test]
    fn text_that_a_command_is_fed_is_none_but_a_shells_is() {
        check("cat <<EOF > x\na\nEOF\nb", &[&["cat", "<<EOF", ">", "x"], &["b"]]);
        check(
            "cat <<-'E' && b\n\tc\n\tE\nd",
            &[&["cat", "<<-E"], &["b"], &["d"]],
        );
        check("bash <<EOF\na\nEOF", &[&["bash", "<<EOF"], &["a"], &["EOF"]]);
        check("<<EOF\na\nEOF", &[&["<<EOF"], &["a"], &["EOF"]]);
        check("cat <<EOF\na", &[&["cat", "<<EOF"]]);
    }

    #[test]
    fn a_pipe_is_told_from_an_or() {
        let piped: Vec<_> = commands("a | b || c |\nd").iter().map(|one| one.piped).collect();
        assert_eq!(piped, [false, true, false, true]);
    }

    proptest! {
        #[test]
        fn any_text_is_split_and_no_word_is_longer_than_it(text in ".{0,200}") {
            let words: usize = Lexer::new(&text).split().iter().flat_map(|one| &one.words).map(String::len).sum();
            prop_assert!(words <= text.len() + 1);
        }
    }
}
