import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.streaming.api.datastream.KeyedStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.streaming.api.functions.windowing.ProcessWindowFunction;
import org.apache.flink.streaming.api.windowing.assigners.EventTimeSessionWindows;
import org.apache.flink.streaming.api.windowing.assigners.GlobalWindows;
import org.apache.flink.streaming.api.windowing.assigners.SlidingEventTimeWindows;
import org.apache.flink.streaming.api.windowing.assigners.TumblingEventTimeWindows;
import org.apache.flink.streaming.api.windowing.assigners.WindowAssigner;
import org.apache.flink.streaming.api.windowing.triggers.EventTimeTrigger;
import org.apache.flink.streaming.api.windowing.triggers.PurgingTrigger;
import org.apache.flink.streaming.api.windowing.triggers.Trigger;
import org.apache.flink.streaming.api.windowing.triggers.TriggerResult;
import org.apache.flink.streaming.api.windowing.windows.GlobalWindow;
import org.apache.flink.streaming.api.windowing.windows.TimeWindow;
import org.apache.flink.util.Collector;

/**
 * Plays a transcript of records and watermarks, and writes down every pane that Flink fires.
 *
 * <pre>
 * steps.csv    record,0,a,5      number, key, event time in ms
 *              watermark,12
 * answer.txt   a 0..10 on_time: 0
 *              a 0..10 late: 0 1
 * </pre>
 *
 * Windows, their merging, their state and the trigger are Flink's; around the trigger stands only what
 * remembers whether a record (late) or the watermark (on time) made it fire.
 */
public final class Panes {
    static final Queue<String> FIRED = new ConcurrentLinkedQueue<>();

    public static final class Step {
        public boolean isWatermark;
        public long number;
        public String key = "";
        public long time;

        public Step() {}

        Step(String line) {
            String[] cells = line.split(",");
            isWatermark = cells[0].equals("watermark");
            time = Long.parseLong(cells[cells.length - 1]);
            if (!isWatermark) {
                number = Long.parseLong(cells[1]);
                key = cells[2];
            }
        }
    }

    /** Any number of: steps.csv answer.txt fixed|sliding|session|global LENGTH EVERY ALLOWED OFFSET DISCARDING. */
    public static void main(String[] given) throws Exception {
        for (int at = 0; at < given.length; at += 8) {
            long[] n = new long[7];
            for (int number = 3; number < 7; number++) {
                n[number] = Long.parseLong(given[at + number]);
            }
            FIRED.clear();
            StreamExecutionEnvironment env = StreamExecutionEnvironment.createLocalEnvironment(1);
            KeyedStream<Step, String> records = records(env, Path.of(given[at]));
            if (given[at + 2].equals("global")) {
                fireAtTheEnd(records);
            } else {
                WindowAssigner<Object, TimeWindow> windows = windows(given[at + 2], n[3], n[4], n[6]);
                fire(records, windows, n[5], Boolean.parseBoolean(given[at + 7]));
            }
            env.execute("panes");
            Files.write(Path.of(given[at + 1]), FIRED, StandardCharsets.UTF_8);
        }
    }

    static WindowAssigner<Object, TimeWindow> windows(String kind, long length, long every, long offset) {
        Duration size = Duration.ofMillis(length);
        Duration moved = Duration.ofMillis(offset);
        return switch (kind) {
            case "fixed" -> TumblingEventTimeWindows.of(size, moved);
            case "sliding" -> SlidingEventTimeWindows.of(size, Duration.ofMillis(every), moved);
            case "session" -> castSession(EventTimeSessionWindows.withGap(size));
            default -> throw new IllegalArgumentException(kind);
        };
    }

    static WindowAssigner<Object, TimeWindow> castSession(EventTimeSessionWindows windows) {
        return windows;
    }

    static KeyedStream<Step, String> records(StreamExecutionEnvironment env, Path steps) throws Exception {
        List<Step> played = new ArrayList<>();
        for (String line : Files.readAllLines(steps)) {
            played.add(new Step(line));
        }
        return env.fromData(TypeInformation.of(Step.class), played.toArray(Step[]::new))
                .assignTimestampsAndWatermarks(asWritten())
                .filter(step -> !step.isWatermark)
                .keyBy(step -> step.key, TypeInformation.of(String.class));
    }

    static void fire(
            KeyedStream<Step, String> records,
            WindowAssigner<Object, TimeWindow> windows,
            long allowed,
            boolean discarding) {
        Trigger<Object, TimeWindow> trigger = new Remembering();
        records.window(windows)
                .allowedLateness(Duration.ofMillis(allowed))
                .trigger(discarding ? PurgingTrigger.of(trigger) : trigger)
                .process(new Write(), TypeInformation.of(String.class))
                .sinkTo(new DiscardingSink<>());
    }

    /** The window of all records fires at the end of the stream, by Flink's own trigger for that. */
    static void fireAtTheEnd(KeyedStream<Step, String> records) {
        records.window(GlobalWindows.createWithEndOfStreamTrigger())
                .process(new WriteAll(), TypeInformation.of(String.class))
                .sinkTo(new DiscardingSink<>());
    }

    /** The watermark is what the transcript says, at once. */
    static WatermarkStrategy<Step> asWritten() {
        WatermarkStrategy<Step> strategy =
                context ->
                        new WatermarkGenerator<Step>() {
                            @Override
                            public void onEvent(Step step, long time, WatermarkOutput output) {
                                if (step.isWatermark) {
                                    output.emitWatermark(new Watermark(step.time));
                                }
                            }

                            @Override
                            public void onPeriodicEmit(WatermarkOutput output) {}
                        };
        return strategy.withTimestampAssigner((step, before) -> step.time);
    }

    /** Flink's own trigger, and whether it was a record that made it fire. */
    static final class Remembering extends Trigger<Object, TimeWindow> {
        static final ThreadLocal<Boolean> BY_RECORD = ThreadLocal.withInitial(() -> false);
        private final EventTimeTrigger own = EventTimeTrigger.create();

        @Override
        public TriggerResult onElement(Object step, long time, TimeWindow window, TriggerContext context)
                throws Exception {
            BY_RECORD.set(true);
            return own.onElement(step, time, window, context);
        }

        @Override
        public TriggerResult onEventTime(long time, TimeWindow window, TriggerContext context) throws Exception {
            BY_RECORD.set(false);
            return own.onEventTime(time, window, context);
        }

        @Override
        public TriggerResult onProcessingTime(long time, TimeWindow window, TriggerContext context)
                throws Exception {
            return own.onProcessingTime(time, window, context);
        }

        @Override
        public boolean canMerge() {
            return own.canMerge();
        }

        @Override
        public void onMerge(TimeWindow window, OnMergeContext context) {
            own.onMerge(window, context);
        }

        @Override
        public void clear(TimeWindow window, TriggerContext context) throws Exception {
            own.clear(window, context);
        }
    }

    static final class Write extends ProcessWindowFunction<Step, String, String, TimeWindow> {
        @Override
        public void process(String key, Context context, Iterable<Step> steps, Collector<String> output) {
            // What is still open when the transcript ends is fired by the end of the stream, not by it.
            if (context.currentWatermark() == Long.MAX_VALUE) {
                return;
            }
            String timing = Remembering.BY_RECORD.get() ? "late" : "on_time";
            TimeWindow window = context.window();
            FIRED.add(
                    key + " " + window.getStart() + ".." + window.getEnd() + " " + timing + ":" + numbers(steps));
        }
    }

    static final class WriteAll extends ProcessWindowFunction<Step, String, String, GlobalWindow> {
        @Override
        public void process(String key, Context context, Iterable<Step> steps, Collector<String> output) {
            String timing = context.currentWatermark() == Long.MAX_VALUE ? "on_time" : "early";
            FIRED.add(key + " always " + timing + ":" + numbers(steps));
        }
    }

    static String numbers(Iterable<Step> steps) {
        return StreamSupport.stream(steps.spliterator(), false)
                .map(step -> " " + step.number)
                .collect(Collectors.joining());
    }

    private Panes() {}
}
