//! What cubecl's allocator reserves on a card for given allocations.
//!
//! It takes memory from the card in pages of a few sizes, each a fraction of the card, and gives a
//! page back only on request (cubecl-runtime 0.10, `memory_management/memory_manage.rs`,
//! `MemoryConfiguration::SubSlices`).

/// Allocations begin at multiples of this many bytes.
const ALIGNMENT: u64 = 512;

/// Pages are made down to this size, which the last step may go below.
const SMALLEST: u64 = 32 << 20;

/// The pools of a card, from small allocations to large.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pages {
    /// Largest allocation and page size of each.
    pools: Vec<(u64, u64)>,
}

impl Pages {
    /// The pools of a card with so many bytes: the largest page is a quarter of it.
    #[must_use]
    pub fn of_card(card_bytes: u64) -> Self {
        let largest = card_bytes / 4;
        let mut pools = vec![(largest, largest / ALIGNMENT * ALIGNMENT)];
        let (mut page, mut halvings) = (largest, 1);
        while page >= SMALLEST {
            page = (page / 4).next_multiple_of(ALIGNMENT);
            pools.push((page >> halvings, page));
            halvings += 1;
        }
        pools.reverse();
        Self { pools }
    }

    /// Bytes reserved for allocations, each given by its size and how many there are; `None` if one
    /// is larger than the largest page.
    #[must_use]
    pub fn reserved(&self, allocations: &[(u64, u64)]) -> Option<u64> {
        let mut used = vec![(0_u64, 0_u64); self.pools.len()];
        for &(bytes, count) in allocations.iter().filter(|(bytes, _)| *bytes > 0) {
            let bytes = bytes.next_multiple_of(ALIGNMENT);
            let pool = self.pools.iter().position(|(limit, _)| bytes <= *limit)?;
            let page = self.pools[pool].1;
            let (pages, free) = &mut used[pool];
            for _ in 0..count {
                if *free < bytes {
                    *pages += 1;
                    *free = page;
                }
                *free -= bytes;
            }
        }
        let sizes = self.pools.iter().map(|(_, page)| page);
        Some(
            used.iter()
                .zip(sizes)
                .map(|((pages, _), page)| pages * page)
                .sum(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn pages_are_quarters_of_quarters() {
        let pages = Pages::of_card(8 * GIB);
        assert_eq!(
            pages.pools,
            [
                (8 << 20 >> 4, 8 << 20),
                (32 << 20 >> 3, 32 << 20),
                (128 << 20 >> 2, 128 << 20),
                (512 << 20 >> 1, 512 << 20),
                (2 * GIB, 2 * GIB),
            ]
        );
    }

    #[test]
    fn an_allocation_reserves_whole_pages_of_its_pool() {
        let pages = Pages::of_card(8 * GIB);
        assert_eq!(pages.reserved(&[]), Some(0));
        assert_eq!(pages.reserved(&[(1, 1)]), Some(8 << 20));
        // 30 MiB go into a page of 128 MiB, four of them.
        assert_eq!(pages.reserved(&[(30 << 20, 4)]), Some(128 << 20));
        assert_eq!(pages.reserved(&[(30 << 20, 5)]), Some(256 << 20));
        assert_eq!(pages.reserved(&[(3 * GIB, 1)]), None);
    }
}
