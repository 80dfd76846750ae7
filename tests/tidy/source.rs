//! As much of Rust's grammar as the house rules need: what is a comment, what is code, where a path
//! leads.

/// A module's path below the crate, as in `crate::scheduler::worker`.
#[derive(Clone, Debug)]
pub(crate) struct Path(Vec<String>);

impl Path {
    /// Of the file `file`, relative to `src/`.
    pub(crate) fn of_file(file: &str) -> Self {
        let stem = file.strip_suffix(".rs").unwrap_or(file);
        let stem = stem.strip_suffix("/mod").unwrap_or(stem);
        let names = stem.split('/').filter(|&name| name != "lib");
        Self(names.map(str::to_owned).collect())
    }

    /// The first module below the crate; none for the crate itself.
    pub(crate) fn room(&self) -> Option<&str> {
        self.0.first().map(String::as_str)
    }
}

/// A word, a `::`, or a single mark.
#[derive(Debug)]
struct Token {
    text: String,
    /// Counted from one.
    line: usize,
}

/// A source text, taken apart.
#[derive(Debug)]
pub(crate) struct Source {
    /// Without comments, literals and test modules.
    tokens: Vec<Token>,
    /// What the comments on each line say.
    comments: Vec<String>,
}

impl Source {
    pub(crate) fn new(text: &str) -> Self {
        let (code, comments) = separate(text);
        Self {
            tokens: without_test_modules(tokenize(&code)),
            comments: comments.lines().map(str::to_owned).collect(),
        }
    }

    fn at(&self, index: usize) -> &str {
        self.tokens.get(index).map_or("", |token| &token.text)
    }

    /// Every path that starts from `crate`, `super` or `self` in a file that is the module `module`:
    /// its line and the first name below the crate that it leads to, `*` for a glob.
    pub(crate) fn paths(&self, module: &Path) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        // The modules within the file around the current place, and the depth of braces outside each.
        let mut module = module.0.clone();
        let mut opened: Vec<usize> = Vec::new();
        let mut depth = 0;
        let mut index = 0;
        while index < self.tokens.len() {
            match self.at(index) {
                "mod" if self.at(index + 2) == "{" => {
                    module.push(self.at(index + 1).to_owned());
                    opened.push(depth);
                    index += 1;
                }
                "{" => depth += 1,
                "}" => {
                    depth -= 1;
                    if opened.last() == Some(&depth) {
                        opened.pop();
                        module.pop();
                    }
                }
                // An exported macro lies at the root wherever it is written, and names itself there.
                "crate" if index > 0 && self.at(index - 1) == "$" && self.at(index + 3) == "!" => {}
                "crate" | "super" | "self"
                    if self.at(index + 1) == "::" && (index == 0 || self.at(index - 1) != "::") =>
                {
                    index = self.tree(index, module.clone(), &mut found);
                    continue;
                }
                _ => {}
            }
            index += 1;
        }
        found
    }

    /// Every `static` item: its line and its name.
    pub(crate) fn statics(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        for index in (0..self.tokens.len()).filter(|&index| self.at(index) == "static") {
            let index = index + if self.at(index + 1) == "mut" { 2 } else { 1 };
            let name = self.at(index);
            let is_item = self.at(index + 1) == ":"
                && name.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_');
            if is_item {
                found.push((self.tokens[index].line, name.to_owned()));
            }
        }
        found
    }

    /// Follows the path, or the tree of paths, that begins at `index` seen from the module `path`;
    /// returns the index behind it.
    fn tree(
        &self,
        mut index: usize,
        mut path: Vec<String>,
        found: &mut Vec<(usize, String)>,
    ) -> usize {
        let line = self.tokens[index].line;
        loop {
            match self.at(index) {
                "{" => {
                    index += 1;
                    while index < self.tokens.len() && self.at(index) != "}" {
                        index = self.tree(index, path.clone(), found);
                        while !matches!(self.at(index), "," | "}" | "") {
                            index += 1; // `as name`
                        }
                        index += usize::from(self.at(index) == ",");
                    }
                    return index + 1;
                }
                "crate" => path.clear(),
                "super" => drop(path.pop()),
                "self" => {}
                name => path.push(name.to_owned()),
            }
            index += 1;
            if self.at(index) != "::" {
                found.extend(path.into_iter().next().map(|first| (line, first)));
                return index;
            }
            index += 1;
        }
    }

    /// The lines where an `unsafe` block or impl begins.
    pub(crate) fn unsafe_blocks_and_impls(&self) -> impl Iterator<Item = usize> {
        self.tokens.windows(2).filter_map(|pair| {
            (pair[0].text == "unsafe" && matches!(pair[1].text.as_str(), "{" | "impl"))
                .then_some(pair[0].line)
        })
    }

    /// The memory orderings with a partner that are used, imports apart.
    pub(crate) fn orderings(&self) -> impl Iterator<Item = (usize, &str)> {
        const ORDERINGS: [&str; 4] = ["Acquire", "Release", "AcqRel", "SeqCst"];
        let mut in_use = false;
        self.tokens.iter().filter_map(move |token| {
            match token.text.as_str() {
                "use" => in_use = true,
                ";" => in_use = false,
                _ => {}
            }
            (!in_use && ORDERINGS.contains(&token.text.as_str()))
                .then_some((token.line, token.text.as_str()))
        })
    }

    /// The lines of conditions in which a `let` meets an `&&`.
    pub(crate) fn let_chains(&self) -> Vec<usize> {
        let mut found = Vec::new();
        for (index, token) in self.tokens.iter().enumerate() {
            if !matches!(token.text.as_str(), "if" | "while") {
                continue;
            }
            // Up to the block, the first brace that no parenthesis and no pattern holds, or the arm.
            let (mut depth, mut is_let, mut is_pattern, mut is_chain) = (0, false, false, false);
            for at in index + 1..self.tokens.len() {
                match self.at(at) {
                    "let" => (is_let, is_pattern) = (true, true),
                    "=" if depth == 0 && self.at(at + 1) == ">" => break,
                    "=" if depth == 0 => is_pattern = false,
                    "{" if depth == 0 && !is_pattern => break,
                    "(" | "[" | "{" => depth += 1,
                    ")" | "]" | "}" => depth -= 1,
                    "&" if self.at(at + 1) == "&" && depth == 0 && !is_pattern => is_chain = true,
                    _ => {}
                }
            }
            if is_let && is_chain {
                found.push(token.line);
            }
        }
        found
    }

    /// Whether a comment on the line or at most `reach` lines above contains one of `words`.
    pub(crate) fn comment_above(&self, line: usize, reach: usize, words: &[&str]) -> bool {
        let lines = &self.comments[line.saturating_sub(reach + 1)..line.min(self.comments.len())];
        lines.iter().any(|comment| words.iter().any(|word| comment.contains(word)))
    }
}

/// The code and the comments of a text, each with the line breaks of both and blanks in place of the
/// other. Literals are blanks in both.
fn separate(text: &str) -> (String, String) {
    let text: Vec<char> = text.chars().collect();
    let at = |index: usize| text.get(index).copied().unwrap_or('\0');
    let (mut code, mut comments) = (String::new(), String::new());
    let mut index = 0;
    while index < text.len() {
        let (end, is_code, is_comment) = match (at(index), at(index + 1)) {
            ('/', '/') => (end_of_line(&text, index), false, true),
            ('/', '*') => (end_of_block_comment(&text, index), false, true),
            ('"', _) => (end_of_quote(&text, index), false, false),
            // A character; what else begins with this mark is a lifetime.
            ('\'', next) if next == '\\' || at(index + 2) == '\'' => {
                (end_of_quote(&text, index), false, false)
            }
            (first, _) if is_word(first) => {
                let word_end = index + text[index..].iter().take_while(|&&c| is_word(c)).count();
                let word: String = text[index..word_end].iter().collect();
                let hashes = text[word_end..].iter().take_while(|&&c| c == '#').count();
                let is_raw = matches!(word.as_str(), "r" | "br" | "cr");
                if is_raw && at(word_end + hashes) == '"' {
                    (end_of_raw_string(&text, word_end + hashes + 1, hashes), false, false)
                } else {
                    (word_end, true, false)
                }
            }
            _ => (index + 1, true, false),
        };
        for &c in &text[index..end] {
            let break_or = |shown: bool| if shown || c == '\n' { c } else { ' ' };
            code.push(break_or(is_code));
            comments.push(break_or(is_comment));
        }
        index = end;
    }
    (code, comments)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn end_of_line(text: &[char], start: usize) -> usize {
    text[start..].iter().position(|&c| c == '\n').map_or(text.len(), |length| start + length)
}

fn end_of_block_comment(text: &[char], start: usize) -> usize {
    let mut depth = 0;
    let mut index = start;
    while index < text.len() {
        match text[index..] {
            ['/', '*', ..] => (depth, index) = (depth + 1, index + 2),
            ['*', '/', ..] => (depth, index) = (depth - 1, index + 2),
            _ => index += 1,
        }
        if depth == 0 {
            break;
        }
    }
    index
}

/// Of a string or character whose opening mark is at `start`.
fn end_of_quote(text: &[char], start: usize) -> usize {
    let mut index = start + 1;
    while index < text.len() && text[index] != text[start] {
        index += if text[index] == '\\' { 2 } else { 1 };
    }
    (index + 1).min(text.len())
}

/// Of a raw string whose contents begin at `start`.
fn end_of_raw_string(text: &[char], start: usize, hashes: usize) -> usize {
    let mut index = start;
    while index < text.len() {
        let closing = &text[index + 1..];
        if text[index] == '"' && closing.iter().take_while(|&&c| c == '#').count() >= hashes {
            return index + 1 + hashes;
        }
        index += 1;
    }
    index
}

fn tokenize(code: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for (index, line) in code.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = if is_word(first) {
                rest.find(|c| !is_word(c)).unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            tokens.push(Token { text: rest[..length].to_owned(), line: index + 1 });
            rest = rest[length..].trim_start();
        }
    }
    tokens
}

/// Leaves out every `#[cfg(test)] mod name { … }`.
fn without_test_modules(tokens: Vec<Token>) -> Vec<Token> {
    const ATTRIBUTE: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept: Vec<Token> = Vec::new();
    let mut tokens = tokens.into_iter();
    while let Some(token) = tokens.next() {
        let is_module = token.text == "mod";
        kept.push(token);
        let Some(start) = kept.len().checked_sub(ATTRIBUTE.len() + 1) else {
            continue;
        };
        let attribute = kept[start..].iter().map(|token| token.text.as_str());
        if is_module && attribute.take(ATTRIBUTE.len()).eq(ATTRIBUTE) {
            kept.truncate(start);
            let mut depth = 0;
            for token in tokens.by_ref() {
                match token.text.as_str() {
                    "{" => depth += 1,
                    "}" => depth -= 1,
                    _ => {}
                }
                if depth == 0 && matches!(token.text.as_str(), "}" | ";") {
                    break;
                }
            }
        }
    }
    kept
}
