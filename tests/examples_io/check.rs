//! What must hold of the HTTP example whatever it is told. The tests replay the corpus with it.

use super::conversation::{Conversation, LONGEST_HEAD, Next};

/// What the server does with these pieces: what it says, and whether it closes.
fn converse<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<u8>, Next) {
    let mut conversation = Conversation::default();
    let (mut input, mut output) = (Vec::new(), Vec::new());
    for piece in pieces {
        input.extend_from_slice(piece);
        let (taken, next) = conversation.go_on(&input, "now", &mut output);
        if next == Next::Close {
            return (output, next);
        }
        input.drain(..taken);
        assert!(input.len() < LONGEST_HEAD, "the server's buffer would be full for ever");
    }
    (output, Next::ReadOn)
}

/// The first byte says in which pieces the others come.
pub(crate) fn check(data: &[u8]) {
    let Some((&seed, said)) = data.split_first() else { return };
    let whole = converse(std::iter::once(said));
    // In pieces of 1 to 64 bytes, or of other sizes that the first byte gives.
    let even = converse(said.chunks(usize::from(seed % 64) + 1));
    assert_eq!(whole, even);
    let mut state = u32::from(seed) | 1 << 8;
    let mut rest = said;
    let uneven = converse(std::iter::from_fn(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let len = ((state >> 24) as usize + 1).min(rest.len());
        let (piece, left) = rest.split_at(len);
        rest = left;
        (!piece.is_empty()).then_some(piece)
    }));
    assert_eq!(whole, uneven);
    // Each answer begins as one, and there are no more of them than there were ends of lines.
    let answers = whole.0.windows(9).filter(|window| window == b"HTTP/1.1 ").count();
    let lines = said.iter().filter(|&&byte| byte == b'\n').count();
    assert!(answers <= 2 * lines + 1, "{answers} answers to {lines} lines");
    assert!(whole.0.is_empty() || whole.0.starts_with(b"HTTP/1.1 "));
}
