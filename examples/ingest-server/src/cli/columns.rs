//! A list for people: a header and aligned columns.

use std::fmt;

/// Rows of `N` columns, shown once all are known.
#[derive(Debug)]
pub(super) struct Columns<const N: usize> {
    rows: Vec<[String; N]>,
    widths: [usize; N],
}

impl<const N: usize> Columns<N> {
    pub(super) fn new(header: [&str; N]) -> Self {
        let mut columns = Self {
            rows: Vec::new(),
            widths: [0; N],
        };
        columns.add(header.map(str::to_owned));
        columns
    }

    pub(super) fn add(&mut self, row: [String; N]) {
        for (width, cell) in self.widths.iter_mut().zip(&row) {
            *width = (*width).max(cell.chars().count());
        }
        self.rows.push(row);
    }
}

impl<const N: usize> fmt::Display for Columns<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, row) in self.rows.iter().enumerate() {
            let cells = row.iter().zip(self.widths);
            let line: String = cells
                .map(|(cell, width)| format!("{cell:<width$}  "))
                .collect();
            let newline = if index == 0 { "" } else { "\n" };
            write!(f, "{newline}{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Columns;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut columns = Columns::new(["KID", "TENANT", "SCOPES"]);
        columns.add(["a", "müller-and-sons", "x y"].map(str::to_owned));
        columns.add(["bcdef", "b", "z"].map(str::to_owned));
        let expected = "\
KID    TENANT           SCOPES
a      müller-and-sons  x y
bcdef  b                z";
        assert_eq!(columns.to_string(), expected);
    }
}
