"""A client that is not ours: pyllrp inventories the reader at HOST:PORT and prints the EPCs it was told.

pyllrp refuses messages whose fields are out of order, out of range or of the wrong type.
"""

import sys
from pyllrp.LLRPConnector import LLRPConnector
from pyllrp.pyllrp import *

host, port = sys.argv[1].split(":")
connector = LLRPConnector()
connector.connect(host, int(port))
assert connector.transact(GET_READER_CAPABILITIES_Message(RequestedData=0)).success()
assert connector.transact(DELETE_ROSPEC_Message(ROSpecID=0)).success()
spec = ADD_ROSPEC_Message(
    Parameters=[
        ROSpec_Parameter(
            ROSpecID=7,
            Priority=0,
            CurrentState=ROSpecState.Disabled,
            Parameters=[
                ROBoundarySpec_Parameter(
                    Parameters=[
                        ROSpecStartTrigger_Parameter(ROSpecStartTriggerType=ROSpecStartTriggerType.Null),
                        ROSpecStopTrigger_Parameter(
                            ROSpecStopTriggerType=ROSpecStopTriggerType.Null, DurationTriggerValue=0
                        ),
                    ]
                ),
                AISpec_Parameter(
                    AntennaIDs=[0],
                    Parameters=[
                        AISpecStopTrigger_Parameter(AISpecStopTriggerType=AISpecStopTriggerType.Null, DurationTrigger=0),
                        InventoryParameterSpec_Parameter(
                            InventoryParameterSpecID=1, ProtocolID=AirProtocols.EPCGlobalClass1Gen2
                        ),
                    ],
                ),
                ROReportSpec_Parameter(
                    ROReportTrigger=ROReportTriggerType.Upon_N_Tags_Or_End_Of_AISpec,
                    N=1,
                    Parameters=[
                        TagReportContentSelector_Parameter(
                            EnableAntennaID=True, EnablePeakRSSI=True, EnableTagSeenCount=True
                        )
                    ],
                ),
            ],
        )
    ]
)
added = connector.transact(spec)
assert added.success(), added
assert connector.transact(ENABLE_ROSPEC_Message(ROSpecID=7)).success()
assert connector.transact(START_ROSPEC_Message(ROSpecID=7)).success()
seen = set()
while len(seen) < 3:
    message = UnpackMessageFromSocket(connector.readerSocket)
    if isinstance(message, RO_ACCESS_REPORT_Message):
        for tag in message.getTagData():
            seen.add(f"{tag['EPC']:024x}")
for epc in sorted(seen):
    print(epc)
assert connector.transact(STOP_ROSPEC_Message(ROSpecID=7)).success()
assert connector.transact(DELETE_ROSPEC_Message(ROSpecID=7)).success()
connector.transact(CLOSE_CONNECTION_Message())
print("done")
