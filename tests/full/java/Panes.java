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
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.WindowedStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.streaming.api.functions.windowing.ProcessWindowFunction;
import org.apache.flink.streaming.api.windowing.assigners.EventTimeSessionWindows;
import org.apache.flink.streaming.api.windowing.assigners.SlidingEventTimeWindows;
import org.apache.flink.streaming.api.windowing.assigners.TumblingEventTimeWindows;
import org.apache.flink.streaming.api.windowing.assigners.WindowAssigner;
import org.apache.flink.streaming.api.windowing.triggers.EventTimeTrigger;
import org.apache.flink.streaming.api.windowing.triggers.PurgingTrigger;
import org.apache.flink.streaming.api.windowing.triggers.Trigger;
import org.apache.flink.streaming.api.windowing.triggers.TriggerResult;
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

    /** Any number of: steps.csv answer.txt fixed|sliding|session LENGTH EVERY ALLOWED OFFSET DISCARDING. */
    public static void main(String[] given) throws Exception {
        for (int at = 0; at < given.length; at += 8) {
            long[] n = new long[7];
            for (int number = 3; number < 7; number++) {
                n[number] = Long.parseLong(given[at + number]);
            }
            FIRED.clear();
            WindowAssigner<Object, TimeWindow> windows = windows(given[at + 2], n[3], n[4], n[6]);
            run(Path.of(given[at]), windows, n[5], Boolean.parseBoolean(given[at + 7]));
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

    static void run(Path steps, WindowAssigner<Object, TimeWindow> windows, long allowed, boolean discarding)
            throws Exception {
        List<Step> played = new ArrayList<>();
        for (String line : Files.readAllLines(steps)) {
            played.add(new Step(line));
        }
        StreamExecutionEnvironment env = StreamExecutionEnvironment.createLocalEnvironment(1);
        DataStream<Step> records =
                env.fromData(TypeInformation.of(Step.class), played.toArray(Step[]::new))
                        .assignTimestampsAndWatermarks(asWritten())
                        .filter(step -> !step.isWatermark);
        WindowedStream<Step, String, TimeWindow> windowed =
                records.keyBy(step -> step.key, TypeInformation.of(String.class)).window(windows);
        Trigger<Object, TimeWindow> trigger = new Remembering();
        windowed.allowedLateness(Duration.ofMillis(allowed))
                .trigger(discarding ? PurgingTrigger.of(trigger) : trigger)
                .process(new Write(), TypeInformation.of(String.class))
                .sinkTo(new DiscardingSink<>());
        env.execute("panes");
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
            String numbers =
                    StreamSupport.stream(steps.spliterator(), false)
                            .map(step -> " " + step.number)
                            .collect(Collectors.joining());
            TimeWindow window = context.window();
            FIRED.add(key + " " + window.getStart() + ".." + window.getEnd() + " " + timing + ":" + numbers);
        }
    }

    private Panes() {}
}
