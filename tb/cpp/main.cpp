// A simulation that cocotb drives through VPI, from time step to time step as its timers ask for.

#include <memory>

#include "Vtop.h"
#include "verilated.h"
#include "verilated_vpi.h"
#if VM_TRACE
#include "verilated_fst_c.h"
#endif

extern "C" void vlog_startup_routines_bootstrap(void);

static uint64_t now = 0;
#if VM_TRACE
static VerilatedFstC *waves;  // never freed: nothing says what is torn down first
#endif

double sc_time_stamp() { return now; }

// Values that change call back, which may change further ones.
static void settle() {
    while (VerilatedVpi::callValueCbs()) {
    }
}

static void put() {
    VerilatedVpi::doInertialPuts();
    settle();
}

// Also after a failed assertion, which ends the process.
static void finish(void *) {
    VerilatedVpi::callCbs(cbEndOfSimulation);
#if VM_TRACE
    waves->close();
#endif
#if VM_COVERAGE
    Verilated::threadContextp()->coveragep()->write("coverage.dat");
#endif
}

int main(int argc, char **argv) {
    Verilated::commandArgs(argc, argv);
    auto top = std::make_unique<Vtop>("");
    Verilated::fatalOnVpiError(false);
#if VM_TRACE
    Verilated::traceEverOn(true);
    waves = new VerilatedFstC;
    top->trace(waves, 99);
    waves->open("dump.fst");
#endif
    vlog_startup_routines_bootstrap();
    Verilated::addExitCb(finish, nullptr);
    VerilatedVpi::callCbs(cbStartOfSimulation);
    settle();
    while (!Verilated::gotFinish()) {
        // What timers wrote, the clock above all, has to be there before the first evaluation; else that one is for nothing.
        put();
        do {
            do {
                top->eval_step();
                VerilatedVpi::clearEvalNeeded();
                put();
            } while (VerilatedVpi::evalNeeded());
            VerilatedVpi::callCbs(cbReadWriteSynch);
            put();
        } while (VerilatedVpi::evalNeeded());
        top->eval_end_step();
        VerilatedVpi::callCbs(cbReadOnlySynch);
#if VM_TRACE
        waves->dump(now);
#endif
        const uint64_t next = VerilatedVpi::cbNextDeadline();
        if (next == ~uint64_t{0}) break;
        now = next;
        VerilatedVpi::callCbs(cbNextSimTime);
        settle();
        VerilatedVpi::callTimedCbs();
        settle();
    }
    top->final();
    finish(nullptr);
    return Verilated::threadContextp()->errorCount() > 0;
}
