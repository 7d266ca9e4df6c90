// Sends packets to an AXI4-Stream port beat by beat, in the simulator, since a step in Python takes longer than a cycle.

#include <string>
#include <vector>

#include "verilated.h"
#include "vpi_user.h"

namespace {

struct Packet {
    vpiHandle clk, tdata, tkeep, tlast, tvalid, tready, callback;
    std::vector<unsigned char> bytes;
    size_t beat_bytes, sent = 0;
    bool valid = false, accepted = false;
};

unsigned get(vpiHandle signal) {
    s_vpi_value value{};
    value.format = vpiIntVal;
    vpi_get_value(signal, &value);
    return value.value.integer;
}

void put(vpiHandle signal, const unsigned char *bytes, size_t count) {
    std::vector<s_vpi_vecval> words((count + 3) / 4);
    for (size_t k = 0; k < count; ++k) words[k / 4].aval |= static_cast<PLI_UINT32>(bytes[k]) << (k % 4 * 8);
    s_vpi_value value{};
    value.format = vpiVectorVal;
    value.value.vector = words.data();
    vpi_put_value(signal, &value, nullptr, vpiNoDelay);
}

void put(vpiHandle signal, unsigned char value) { put(signal, &value, 1); }

// What the port takes is seen at rising edges, before the design has moved on; falling edges drive the next beat.
PLI_INT32 edge(p_cb_data data) {
    auto *packet = reinterpret_cast<Packet *>(data->user_data);
    if (get(packet->clk)) {
        packet->accepted = packet->valid && get(packet->tready);
        return 0;
    }
    if (packet->valid && !packet->accepted) return 0;
    if (packet->accepted) packet->sent += packet->beat_bytes;
    packet->valid = packet->sent < packet->bytes.size();
    if (packet->valid) {
        put(packet->tdata, &packet->bytes[packet->sent], packet->beat_bytes);
        put(packet->tlast, packet->sent + packet->beat_bytes == packet->bytes.size());
        put(packet->tvalid, 1);
        return 0;
    }
    put(packet->tlast, 0);
    put(packet->tvalid, 0);
    vpi_remove_cb(packet->callback);
    delete packet;
    return 0;
}

}  // namespace

// Begins to send `count` bytes, whole beats of at most 8, on the port whose signals begin with `prefix`; tvalid falls
// when all are taken. False if a signal is missing.
extern "C" bool takt_send(const char *clk, const char *prefix, const unsigned char *bytes, size_t count) {
    auto *packet = new Packet{};
    const auto find = [](const std::string &name) { return vpi_handle_by_name(const_cast<char *>(name.c_str()), nullptr); };
    packet->clk = find(clk);
    const std::string port = prefix;
    packet->tdata = find(port + "tdata");
    packet->tkeep = find(port + "tkeep");
    packet->tlast = find(port + "tlast");
    packet->tvalid = find(port + "tvalid");
    packet->tready = find(port + "tready");
    for (vpiHandle signal : {packet->clk, packet->tdata, packet->tkeep, packet->tlast, packet->tvalid, packet->tready})
        if (!signal) {
            delete packet;
            return false;
        }
    packet->bytes.assign(bytes, bytes + count);
    packet->beat_bytes = vpi_get(vpiSize, packet->tdata) / 8;
    put(packet->tkeep, (1u << packet->beat_bytes) - 1);
    s_vpi_value format{};
    format.format = vpiSuppressVal;
    s_vpi_time time{};
    time.type = vpiSuppressTime;
    s_cb_data callback{};
    callback.reason = cbValueChange;
    callback.cb_rtn = edge;
    callback.obj = packet->clk;
    callback.time = &time;
    callback.value = &format;
    callback.user_data = reinterpret_cast<PLI_BYTE8 *>(packet);
    packet->callback = vpi_register_cb(&callback);
    return true;
}
