// Stands in for lz4's header where Verilator's FST writer is compiled: a greedy compressor of LZ4 blocks.
// The format: https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md
#pragma once
#include <cstdint>
#include <cstring>
#include <vector>

static inline int LZ4_compressBound(int size) { return size + size / 255 + 16; }

static inline uint8_t* lz4_put_length(uint8_t* to, int rest) {
    for (; rest >= 255; rest -= 255) *to++ = 255;
    *to++ = static_cast<uint8_t>(rest);
    return to;
}

// Literals, then a match of `match` >= 4 bytes `offset` back; no match ends the block.
static inline uint8_t* lz4_put_sequence(uint8_t* to, const uint8_t* literals, int count, int offset, int match) {
    uint8_t* const token = to++;
    const int extra = match ? match - 4 : 0;
    *token = static_cast<uint8_t>((count < 15 ? count : 15) << 4 | (extra < 15 ? extra : 15));
    if (count >= 15) to = lz4_put_length(to, count - 15);
    if (count) std::memcpy(to, literals, count);
    to += count;
    if (!match) return to;
    *to++ = static_cast<uint8_t>(offset);
    *to++ = static_cast<uint8_t>(offset >> 8);
    return extra >= 15 ? lz4_put_length(to, extra - 15) : to;
}

static inline int LZ4_compress_default(const char* source, char* dest, int size, int) {
    const auto* const from = reinterpret_cast<const uint8_t*>(source);
    auto* to = reinterpret_cast<uint8_t*>(dest);
    // The format wants the last match to start 12 and to end 5 bytes before the end.
    const int last_start = size - 12;
    const int last_end = size - 5;
    std::vector<int> seen(1 << 14, -1);
    int anchor = 0;
    for (int here = 0; here <= last_start;) {
        uint32_t word;
        std::memcpy(&word, from + here, 4);
        int& slot = seen[word * 2654435761u >> 18];
        const int before = slot;
        slot = here;
        if (before < 0 || here - before > 65535 || std::memcmp(from + before, from + here, 4) != 0) {
            ++here;
            continue;
        }
        int match = 4;
        while (here + match < last_end && from[before + match] == from[here + match]) ++match;
        to = lz4_put_sequence(to, from + anchor, here - anchor, here - before, match);
        here += match;
        anchor = here;
    }
    to = lz4_put_sequence(to, from + anchor, size - anchor, 0, 0);
    return static_cast<int>(to - reinterpret_cast<uint8_t*>(dest));
}
