"""Bad input to a whole chip: a clear fault or an error, never a hang and never a wrong answer."""

import numpy as np
import pytest

from sw.arch.floorplan import floorplan
from sw.asm.image import Image, ImageError
from sw.asm.program import Program
from sw.golden.chip import GoldenMachine
from sw.isa.codec import encode, layout, make
from sw.machine import MachineError
from tb import tb_intruder
from tb.harness import run
from tb.machine import CocotbMachine
from tests.tb.consumers import CONSUMERS, T, bring, vector
from tests.tb.spoiled import CONFIG, MARKS, PARITY, marked, spoiled_chip

PLAN = floorplan(CONFIG)
#: Cycles from an instruction's issue in superlane 0 in which its operands are found to be wrong.
FOUND_WITHIN = 3


@pytest.fixture(scope="module")
def rtl(tmp_path_factory):
    """A chip with spoiled words; it is used on after every fault."""
    with CocotbMachine(CONFIG, spoiled_chip(), tmp_path_factory.mktemp("rtl")) as machine:
        yield machine


def golden_run(image):
    golden = GoldenMachine(CONFIG)
    golden.load(image)
    return golden.run()


def outcome(machine, image):
    """Cycles and outputs of a program that runs without a fault."""
    machine.load(image)
    found = machine.run()
    assert found.fault is None, str(found.fault)
    return found.cycles, {region.name: machine.read(region.name, 0, region.words).tolist() for region in image.outputs}


def faults(rtl, image, kind, queue, cycles):
    """Runs into a fault of a queue in one of these cycles, and then runs a good program."""
    rtl.load(image)
    fault = rtl.run(limit=20_000).fault
    assert fault is not None, f"no fault; expected {kind} of {queue}"
    assert (fault.kind, fault.queue) == (kind, queue), str(fault)
    assert fault.unit == PLAN.queue(queue).unit.name
    assert fault.cycle in cycles, str(fault)
    good = copy()
    assert outcome(rtl, good) == outcome(GoldenMachine(CONFIG), good)


def copy(words=2, gap=1):
    """Words of W1 to E1, `gap` cycles apart."""
    p = Program(CONFIG)
    p.data("W1", 0, np.arange(words * CONFIG.vl, dtype=np.uint8).reshape(words, -1))
    p.input("from", "W1", 0, words)
    p.output("to", "E1", 0, words)
    hops = PLAN.hops(PLAN.unit("MEM_W1"), PLAN.unit("MEM_E1"))
    p.at(4).mem("W1").read(0, "E3", stride=1).repeat(words - 1, gap)
    p.at(4 + make("READ").timing(CONFIG).d_func + hops - 1).mem("E1").write(0, "E3", stride=1).repeat(words - 1, gap)
    return p.image()


@pytest.mark.parametrize("mark", ["data bit", "check bit"])
@pytest.mark.parametrize("consumer", CONSUMERS, ids=lambda consumer: consumer.__name__)
def test_one_wrong_bit_is_corrected_and_counted(rtl, consumer, mark):
    p = Program(CONFIG)
    consumer(p, mark)
    image = p.image()
    before = rtl.register("CORRECTED")
    rtl.load(image)
    assert rtl.run() == golden_run(image)
    assert rtl.register("CORRECTED") > before
    assert outcome(rtl, image) == outcome(GoldenMachine(CONFIG), image)


@pytest.mark.parametrize("consumer", CONSUMERS, ids=lambda consumer: consumer.__name__)
def test_two_wrong_bits_stop_the_chip_at_the_consumer(rtl, consumer):
    p = Program(CONFIG)
    entry = consumer(p, "two bits")
    faults(rtl, p.image(), "ECC", entry.queue.name, range(entry.time, entry.time + FOUND_WITHIN))


def gather(offset, op="gather"):
    """A GATHER or SCATTER of `offset` in superlane 1, in a region of 8 words."""
    p = Program(CONFIG)
    low, high = np.zeros((2, CONFIG.vl), np.uint8)
    low[CONFIG.lanes], high[CONFIG.lanes] = offset & 0xFF, offset >> 8
    p.data("E1", 8, np.zeros((8, CONFIG.vl), np.uint8))
    bring(p, "W2", "E0", "MEM_E1", T, low)
    bring(p, "W3", "E1", "MEM_E1", T, high)
    if op == "gather":
        p.at(T).mem("E1").gather(8, 8, "E4", "E0")
    else:
        bring(p, "W0", "E2", "MEM_E1", T, vector(1))
        p.at(T).mem("E1").scatter(8, 8, "E2", "E0")
    return p.image()


@pytest.mark.parametrize("op", ["gather", "scatter"])
@pytest.mark.parametrize("offset", [8, 0x0100, 0x7FFF, 0xFFFE])
def test_an_offset_outside_of_its_region_is_a_fault(rtl, op, offset):
    expected = golden_run(gather(offset, op)).fault
    assert (expected.kind, expected.queue) == ("GATHER_RANGE", "MEM_E1")
    faults(rtl, gather(offset, op), "GATHER_RANGE", "MEM_E1", range(T, T + FOUND_WITHIN + CONFIG.superlanes - 1))


def words(queue, *ops):
    """An image in which one queue has these words and nothing else."""
    return Image(CONFIG, {queue: tuple(encode((op,), PLAN.queue(queue).cls, CONFIG) for op in ops)})


@pytest.mark.parametrize("queue", [queue.name for queue in PLAN.queues])
def test_a_queue_without_halt_runs_dry(rtl, queue):
    faults(rtl, words(queue, make("NOP", n=7)), "QUEUE_UNDERRUN", queue, range(6, 9))


def test_more_text_than_the_ring_holds_is_a_fault(rtl):
    boot = [make("IFETCH", stream=0), make("NOP", n=20)] * 3 + [make("NOP", n=1)] * (CONFIG.queue_words - 8)
    faults(rtl, words("VXM2", *boot), "RING_OVERFLOW", "VXM2", range(42, 42 + 20))


def test_a_word_with_wrong_parity_is_a_fault(rtl):
    place = layout("VXM", CONFIG).slots["icu"]["NOP.n"]
    assert (place.offset, place.bits) == (3, 16)
    image = words("VXM1", make("NOP", n=3), make("NOP", n=PARITY), make("HALT"))
    faults(rtl, image, "QUEUE_PARITY", "VXM1", range(2, 5))


def two_drivers(p):
    for name in ("E0", "E1"):
        p.data(name, 0, vector(1))
        p.at(T).mem(name).read(0, "E4")
    return "STREAM_CONFLICT", "MEM_E0"


def two_results(p):
    p.at(T).vxm(3).mul("int8", 1, "E0", dst="E4", overflow="mod")
    late = make("MUL", dtype=0).timing(CONFIG).d_func - make("XOR", dtype=0).timing(CONFIG).d_func
    p.at(T + late).vxm(3).xor("int8", 1, "E0", dst="E4")
    return "RESULT_CONFLICT", "VXM3"


def two_accesses(p):
    """A GATHER's late access meets a WRITE to the same bank."""
    p.data("E1", 8, np.zeros((8, CONFIG.vl), np.uint8))
    for name, stream in (("W2", "E0"), ("W3", "E1")):
        bring(p, name, stream, "MEM_E1", T, np.zeros(CONFIG.vl, np.uint8))
    late = p.at(T).mem("E1").gather(8, 8, "E4", "E0").word[0].timing(CONFIG).access
    bring(p, "W0", "E2", "MEM_E1", T + late, vector(1))
    p.at(T + late).mem("E1").write(3, "E2")
    return "BANK_CONFLICT", "MEM_E1"


@pytest.mark.parametrize("broken", [two_drivers, two_results, two_accesses], ids=lambda case: case.__name__)
def test_two_at_one_place_are_a_fault(rtl, broken):
    p = Program(CONFIG)
    kind, queue = broken(p)
    faults(rtl, p.image(), kind, queue, range(T, T + 9))


def damaged(data):
    """Images that are not what was written."""
    yield b""
    yield from (data[:size] for size in (1, 40, len(data) // 2, len(data) - 1))
    yield data + b"\0"
    for at in (0, 5, 20, len(data) // 2, len(data) - 1):
        yield data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_an_image_that_is_not_whole_never_gets_to_the_chip(rtl):
    good = copy()
    expected = outcome(rtl, good)
    for data in damaged(good.to_bytes()):
        with pytest.raises(ImageError):
            rtl.load(Image.from_bytes(data, CONFIG))
    foreign = CONFIG.replace(queue_words=2 * CONFIG.queue_words, name="other")
    with pytest.raises(ImageError, match="configuration"):
        Image.from_bytes(Image(foreign, {}).to_bytes(), CONFIG)
    with pytest.raises(MachineError, match="other"):
        rtl.load(Image(foreign, {}))
    # the program of before is still there, and whole
    assert rtl.run().cycles == expected[0]
    assert rtl.read("to", 0, 2).tolist() == expected[1]["to"]


def test_a_run_that_never_ends_is_reported_in_time(rtl):
    rtl.load(words("VXM0", make("SYNC"), make("HALT")))
    with pytest.raises(MachineError, match="did not end within 3000 cycles"):
        rtl.run(limit=3000)
    assert outcome(rtl, copy()) == outcome(GoldenMachine(CONFIG), copy())


def test_a_host_that_does_what_it_must_not(tmp_path):
    for name, image in (("copy", copy(8, 500)), ("gather", gather(8))):
        (tmp_path / f"{name}.img").write_bytes(image.to_bytes())
    vectors = b"".join(marked(vector(1), mark).tobytes() for mark in MARKS)
    env = {tb_intruder.IMAGES: str(tmp_path), "TAKT_INTRUDER_VECTORS": vectors.hex()}
    run(spoiled_chip(), "tb.tb_intruder", test_dir=tmp_path / "run", env=env)
