import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.common.eventtime.BoundedOutOfOrdernessWatermarks;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.connector.source.Boundedness;
import org.apache.flink.api.connector.source.ReaderOutput;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.api.connector.source.SourceSplit;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.core.io.InputStatus;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.KeyedStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.streaming.api.windowing.assigners.TumblingEventTimeWindows;
import org.apache.flink.util.OutputTag;

/**
 * Several partitions read by one Flink source in an order that is given, which no connector promises.
 *
 * <pre>
 * records.csv   number, event time in ms, key, partition, clock in ms since the start (-1: at once)
 * answer.csv    number, 1 for late and accepted, 2 for dropped
 * </pre>
 *
 * The watermarks are Flink's own: its source keeps a generator per split and takes their minimum, or
 * keeps one for all; its generators, idleness and windows are used as they are. With an interval of 0
 * the generator emits with every record, and not only when it is asked to.
 */
public final class Partitions {
    static final Queue<String> TURNED_AWAY = new ConcurrentLinkedQueue<>();

    record Settings(
            String scope, int partitions, long lag, long size, long allowed, long offset, long interval, long idle) {}

    public static final class Event {
        public long number;
        public long time;
        public long key;
        public int partition;
        public long clock;

        public Event() {}

        Event(String line) {
            String[] cells = line.split(",");
            number = Long.parseLong(cells[0]);
            time = Long.parseLong(cells[1]);
            key = Long.parseLong(cells[2]);
            partition = Integer.parseInt(cells[3]);
            clock = Long.parseLong(cells[4]);
        }
    }

    /** Any number of: records.csv answer.csv SCOPE PARTITIONS LAG SIZE ALLOWED OFFSET INTERVAL IDLE, all in ms. */
    public static void main(String[] given) throws Exception {
        for (int at = 0; at < given.length; at += 10) {
            long[] n = new long[10];
            for (int number = 3; number < 10; number++) {
                n[number] = Long.parseLong(given[at + number]);
            }
            TURNED_AWAY.clear();
            run(Path.of(given[at]), new Settings(given[at + 2], (int) n[3], n[4], n[5], n[6], n[7], n[8], n[9]));
            Files.write(Path.of(given[at + 1]), TURNED_AWAY, StandardCharsets.UTF_8);
        }
    }

    static void run(Path records, Settings settings) throws Exception {
        Configuration configuration = new Configuration();
        configuration.set(PipelineOptions.AUTO_WATERMARK_INTERVAL, Duration.ofMillis(settings.interval));
        StreamExecutionEnvironment env = StreamExecutionEnvironment.createLocalEnvironment(1, configuration);
        InOrder source = new InOrder(records.toString(), settings.scope.equals("per_partition"), settings.partitions);
        DataStream<Event> events =
                env.fromSource(source, strategy(settings), "records", TypeInformation.of(Event.class));
        KeyedStream<Event, Long> keyed = events.keyBy(event -> event.key, TypeInformation.of(Long.class));
        turnedAway(keyed, "late", settings, 0, 1);
        turnedAway(keyed, "dropped", settings, settings.allowed, 2);
        env.execute("partitions");
    }

    /** What windows without allowed lateness turn away came late; what the plan's own do, is dropped. */
    static void turnedAway(KeyedStream<Event, Long> keyed, String name, Settings settings, long allowed, int kind) {
        OutputTag<Event> tag = new OutputTag<>(name, TypeInformation.of(Event.class));
        SingleOutputStreamOperator<Event> panes =
                keyed.window(
                                TumblingEventTimeWindows.of(
                                        Duration.ofMillis(settings.size), Duration.ofMillis(settings.offset)))
                        .allowedLateness(Duration.ofMillis(allowed))
                        .sideOutputLateData(tag)
                        .reduce((first, next) -> first);
        panes.sinkTo(new DiscardingSink<>());
        panes.getSideOutput(tag)
                .map(event -> TURNED_AWAY.add(event.number + "," + kind), TypeInformation.of(Boolean.class))
                .sinkTo(new DiscardingSink<>());
    }

    static WatermarkStrategy<Event> strategy(Settings settings) {
        Duration lag = Duration.ofMillis(settings.lag);
        WatermarkStrategy<Event> bounded = WatermarkStrategy.forBoundedOutOfOrderness(lag);
        if (settings.interval == 0) {
            bounded = context -> new WithEveryRecord(lag);
        }
        bounded = bounded.withTimestampAssigner((event, before) -> event.time);
        return settings.idle == 0 ? bounded : bounded.withIdleness(Duration.ofMillis(settings.idle));
    }

    /** Flink's generator, asked after every record. */
    static final class WithEveryRecord extends BoundedOutOfOrdernessWatermarks<Event> {
        WithEveryRecord(Duration lag) {
            super(lag);
        }

        @Override
        public void onEvent(Event event, long time, WatermarkOutput output) {
            super.onEvent(event, time, output);
            onPeriodicEmit(output);
        }
    }

    record Split(String splitId) implements SourceSplit {}

    record InOrder(String records, boolean perPartition, int partitions)
            implements Source<Event, Split, Integer> {
        @Override
        public Boundedness getBoundedness() {
            return Boundedness.BOUNDED;
        }

        @Override
        public SourceReader<Event, Split> createReader(SourceReaderContext context) throws IOException {
            return new Reader(this);
        }

        @Override
        public SplitEnumerator<Split, Integer> createEnumerator(SplitEnumeratorContext<Split> context) {
            return new Enumerator(context, perPartition ? partitions : 1);
        }

        @Override
        public SplitEnumerator<Split, Integer> restoreEnumerator(
                SplitEnumeratorContext<Split> context, Integer state) {
            return createEnumerator(context);
        }

        @Override
        public SimpleVersionedSerializer<Split> getSplitSerializer() {
            return new Text<>() {
                @Override
                Split read(String text) {
                    return new Split(text);
                }

                @Override
                String write(Split split) {
                    return split.splitId();
                }
            };
        }

        @Override
        public SimpleVersionedSerializer<Integer> getEnumeratorCheckpointSerializer() {
            return new Text<>() {
                @Override
                Integer read(String text) {
                    return Integer.valueOf(text);
                }

                @Override
                String write(Integer state) {
                    return state.toString();
                }
            };
        }
    }

    /** Emits every record into the output of its partition, in the order of the file and by its clock. */
    static final class Reader implements SourceReader<Event, Split> {
        private final List<Event> events = new ArrayList<>();
        private final Map<Integer, Split> splits = new HashMap<>();
        private final CompletableFuture<Void> assigned = new CompletableFuture<>();
        private final boolean perPartition;
        private final int wanted;
        private int next = 0;
        private long started = -1;

        Reader(InOrder source) throws IOException {
            for (String line : Files.readAllLines(Path.of(source.records))) {
                events.add(new Event(line));
            }
            perPartition = source.perPartition;
            wanted = perPartition ? source.partitions : 1;
        }

        @Override
        public InputStatus pollNext(ReaderOutput<Event> output) {
            if (splits.size() < wanted) {
                return InputStatus.NOTHING_AVAILABLE;
            }
            if (started < 0) {
                started = System.nanoTime();
            }
            if (next == events.size()) {
                return InputStatus.END_OF_INPUT;
            }
            if (waitMillis() > 0) {
                return InputStatus.NOTHING_AVAILABLE;
            }
            Event event = events.get(next++);
            if (perPartition) {
                String split = splits.get(event.partition).splitId();
                output.createOutputForSplit(split).collect(event, event.time);
            } else {
                output.collect(event, event.time);
            }
            return InputStatus.MORE_AVAILABLE;
        }

        private long waitMillis() {
            if (started < 0 || next == events.size() || events.get(next).clock < 0) {
                return 0;
            }
            long passed = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - started);
            return events.get(next).clock - passed;
        }

        @Override
        public CompletableFuture<Void> isAvailable() {
            if (splits.size() < wanted) {
                return assigned;
            }
            long wait = waitMillis();
            return wait <= 0
                    ? CompletableFuture.completedFuture(null)
                    : CompletableFuture.runAsync(
                            () -> {}, CompletableFuture.delayedExecutor(wait, TimeUnit.MILLISECONDS));
        }

        @Override
        public void addSplits(List<Split> given) {
            given.forEach(split -> splits.put(Integer.valueOf(split.splitId()), split));
            assigned.complete(null);
        }

        @Override
        public void start() {}

        @Override
        public List<Split> snapshotState(long checkpoint) {
            return List.copyOf(splits.values());
        }

        @Override
        public void notifyNoMoreSplits() {}

        @Override
        public void close() {}
    }

    record Enumerator(SplitEnumeratorContext<Split> context, int splits)
            implements SplitEnumerator<Split, Integer> {
        @Override
        public void start() {}

        @Override
        public void addReader(int reader) {
            for (int number = 0; number < splits; number++) {
                context.assignSplit(new Split(String.valueOf(number)), reader);
            }
            context.signalNoMoreSplits(reader);
        }

        @Override
        public void handleSplitRequest(int reader, String host) {}

        @Override
        public void addSplitsBack(List<Split> splits, int reader) {}

        @Override
        public Integer snapshotState(long checkpoint) {
            return splits;
        }

        @Override
        public void close() {}
    }

    abstract static class Text<T> implements SimpleVersionedSerializer<T> {
        abstract T read(String text);

        abstract String write(T value);

        @Override
        public int getVersion() {
            return 1;
        }

        @Override
        public byte[] serialize(T value) {
            return write(value).getBytes(StandardCharsets.UTF_8);
        }

        @Override
        public T deserialize(int version, byte[] bytes) {
            return read(new String(bytes, StandardCharsets.UTF_8));
        }
    }

    private Partitions() {}
}
