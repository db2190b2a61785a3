"""Takes the VUI out of H.264: with it, what a stream says of its frame rate and of how far its pictures are reordered.

Many cameras send none. x264, the encoder behind most test video, always does.
"""

import re

SPS = 7
START_CODE = re.compile(b"\x00\x00\x01")
# Profiles whose SPS says more about colour (ITU-T H.264, 7.3.2.1.1).
HIGH_PROFILES = (100, 110, 122, 244, 44, 83, 86, 118, 128)


class Bits:
    """Reads H.264's bit fields."""

    def __init__(self, data):
        self.text = "".join(f"{byte:08b}" for byte in data)
        self.at = 0

    def skip(self, count):
        self.at += count

    def flag(self):
        self.at += 1
        return self.text[self.at - 1] == "1"

    def golomb(self):
        zeros = self.text.index("1", self.at) - self.at
        end = self.at + 2 * zeros + 1
        value = int(self.text[self.at + zeros : end], 2) - 1
        self.at = end
        return value


def without_vui(unit):
    """Returns an access unit (byte stream) whose SPS, if there is one, has no VUI."""
    begins = [match.end() for match in START_CODE.finditer(unit)]
    for begin, end in reversed([*zip(begins, [*(next - 3 for next in begins[1:]), len(unit)])]):
        if unit[begin] & 31 == SPS:
            unit = unit[:begin] + shortened(unit[begin:end]) + unit[end:]
    return unit


def shortened(sps):
    data = sps.replace(b"\x00\x00\x03", b"\x00\x00")
    bits = Bits(data)
    bits.skip(32)
    bits.golomb()
    if data[1] in HIGH_PROFILES:
        if bits.golomb() == 3:
            bits.skip(1)
        bits.golomb()
        bits.golomb()
        bits.skip(1)
        if bits.flag():
            raise ValueError("an SPS with scaling lists")
    bits.golomb()
    order = bits.golomb()
    if order == 0:
        bits.golomb()
    elif order == 1:
        raise ValueError("an SPS with picture order of type 1")
    bits.golomb()
    bits.skip(1)
    bits.golomb()
    bits.golomb()
    if not bits.flag():
        bits.skip(1)
    bits.skip(1)
    if bits.flag():
        for _ in range(4):
            bits.golomb()
    # No VUI, and the bit after which an SPS ends.
    text = bits.text[: bits.at] + "01"
    text += "0" * (-len(text) % 8)
    short = bytes(int(text[i : i + 8], 2) for i in range(0, len(text), 8))
    return re.sub(b"\x00\x00(?=[\x00-\x03])", b"\x00\x00\x03", short)
