//! Blocks to lines: a line that two blocks share is put together.

/// The beginning of a line whose end has not come.
#[derive(Debug, Default)]
pub(super) struct Lines {
    tail: Vec<u8>,
}

impl Lines {
    /// Hands out every line that a block completes, without its newline.
    pub(super) fn push<E>(
        &mut self,
        block: &[u8],
        mut take: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut rest = block;
        if !self.tail.is_empty() {
            let Some(end) = memchr::memchr(b'\n', rest) else {
                self.tail.extend_from_slice(rest);
                return Ok(());
            };
            self.tail.extend_from_slice(&rest[..end]);
            rest = &rest[end + 1..];
            take(&self.tail)?;
            self.tail.clear();
        }
        while let Some(end) = memchr::memchr(b'\n', rest) {
            take(&rest[..end])?;
            rest = &rest[end + 1..];
        }
        self.tail.extend_from_slice(rest);
        Ok(())
    }

    /// What comes after the last newline.
    pub(super) fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.tail)
    }
}
