"""A block of one lane by pymodbus: the neutral map's registers and coils, a life counter that counts reads.

usage: pymodbus_block.py tcp PORT | rtu-tcp PORT | serial DEVICE
Commands on standard input, one a line: `inputs BITS` (register 0), `delay MS` (each answer is taken at
once and sent so late), `freeze`, `thaw`. Prints `ready`, then `taken COIL ON` for each write.
"""
import asyncio
import sys

from pymodbus import FramerType
from pymodbus.server import StartAsyncSerialServer, StartAsyncTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

state = {"inputs": 0xE7, "delay": 0.0, "frozen": False, "life": 0}


async def act(function_code, block, address, count, current, new_values):
    if function_code == 4:
        if not state["frozen"]:
            state["life"] = (state["life"] + 1) % 65536
        current[0], current[1] = state["inputs"], state["life"]
    if function_code == 5 and new_values:
        print("taken", address, int(bool(new_values[0])), flush=True)
    if function_code == 4 and state["delay"]:
        # What is answered is what stood in the block before the delay.
        await asyncio.sleep(state["delay"])
    return None


async def commands():
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := (await reader.readline()).decode().split():
        match line:
            case ["inputs", bits]:
                state["inputs"] = int(bits, 0)
            case ["delay", ms]:
                state["delay"] = int(ms) / 1000
            case ["freeze"]:
                state["frozen"] = True
            case ["thaw"]:
                state["frozen"] = False


async def main():
    way, place = sys.argv[1:3]
    bits = lambda: [SimData(0, values=[False] * 32, datatype=DataType.BITS)]
    words = lambda: [SimData(0, values=[0] * 32, datatype=DataType.REGISTERS)]
    device = SimDevice(1, action=act, simdata=(bits(), bits(), words(), words()))
    # The loop holds its tasks weakly, and a pipe's protocol its reader: without a name the garbage collector takes
    # them, and from then on no command is heard.
    hearing = asyncio.create_task(commands())
    if way == "serial":
        serving = StartAsyncSerialServer(device, port=place, baudrate=19200, framer=FramerType.RTU)
    else:
        framer = FramerType.RTU if way == "rtu-tcp" else FramerType.SOCKET
        serving = StartAsyncTcpServer(device, address=("127.0.0.1", int(place)), framer=framer)
    task = asyncio.create_task(serving)
    await asyncio.sleep(0.2)
    print("ready", flush=True)
    await asyncio.gather(task, hearing)


asyncio.run(main())
