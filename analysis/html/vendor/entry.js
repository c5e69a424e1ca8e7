// What of Apache ECharts a report draws with; build.sh makes echarts.min.js of it.
import { init, use } from "echarts/core";
import { CustomChart, LineChart, ScatterChart } from "echarts/charts";
import {
  AriaComponent,
  AxisPointerComponent,
  GridComponent,
  MarkAreaComponent,
  MarkLineComponent,
  TooltipComponent,
} from "echarts/components";
import { LabelLayout } from "echarts/features";
import { SVGRenderer } from "echarts/renderers";

use([
  CustomChart, LineChart, ScatterChart,
  AriaComponent, AxisPointerComponent, GridComponent, MarkAreaComponent, MarkLineComponent,
  TooltipComponent, LabelLayout, SVGRenderer,
]);
globalThis.echarts = { init };
