"""Arrow Flight DoPut of the rows in a file, into the memory of another process: prints the seconds it took."""

import multiprocessing
import sys
import time

import pyarrow as pa
import pyarrow.csv
import pyarrow.flight as flight


class Sink(flight.FlightServerBase):
    def do_put(self, context, descriptor, reader, writer):
        self.kept = reader.read_all()


def serve(pipe):
    sink = Sink("grpc://127.0.0.1:0")
    pipe.send(sink.port)
    sink.serve()


def main():
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    client = flight.FlightClient(f"grpc://127.0.0.1:{ours.recv()}")
    names = ["territory", "table", "period", "indicator", "rue", "age", "value"]
    table = pyarrow.csv.read_csv(
        sys.argv[1],
        read_options=pyarrow.csv.ReadOptions(column_names=names),
        parse_options=pyarrow.csv.ParseOptions(delimiter="\t"),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types={name: pa.string() for name in names[:-1]} | {"value": pa.int64()}
        ),
    )
    start = time.perf_counter()
    writer, _ = client.do_put(flight.FlightDescriptor.for_path("rows"), table.schema)
    writer.write_table(table, max_chunksize=65536)
    writer.close()
    print(time.perf_counter() - start)
    server.terminate()


if __name__ == "__main__":
    main()
