//! What all four servers do, so that they differ in how they wait and in nothing else: the first line that a guest
//! says is a name, and each line after it is answered with a cup.

/// What is remembered of one guest.
#[derive(Debug, Default)]
pub(crate) struct Guest {
    name: Option<String>,
    cups: u64,
}

/// No line may be longer, with its end.
pub(crate) const LONGEST_LINE: usize = 256;

impl Guest {
    /// The answer to one line, which comes without its end.
    pub(crate) fn answer(&mut self, line: &[u8], out: &mut Vec<u8>) {
        let line = String::from_utf8_lossy(line);
        match &self.name {
            None => {
                out.extend_from_slice(format!("welcome, {line}\n").as_bytes());
                self.name = Some(line.into_owned());
            }
            Some(name) => {
                self.cups += 1;
                let cups = self.cups;
                out.extend_from_slice(format!("{line} for {name}, cup {cups}\n").as_bytes());
            }
        }
    }

    /// Answers all complete lines in `input` and says how many bytes they are; none where a line is too long.
    pub(crate) fn answer_all(&mut self, input: &[u8], out: &mut Vec<u8>) -> Option<usize> {
        let mut taken = 0;
        while let Some(len) = input[taken..].iter().position(|&byte| byte == b'\n') {
            self.answer(&input[taken..taken + len], out);
            taken += len + 1;
        }
        (input.len() - taken < LONGEST_LINE).then_some(taken)
    }
}
