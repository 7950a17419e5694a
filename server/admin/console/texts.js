/* All that the console says. One line a text: key | English | Chinese; {0}, {1}: what is put in. A word
 * alone is the page, or part, that the keys below it belong to: "skip" of "frame" is 'frame.skip'. */
import { settings } from './settings.js';

const TABLE = `
device | Device | 设备
device.any | any device | 任意设备
filter | Filter | 筛选
live | live | 实时
lost | connection lost, trying again | 已断开，正在重试

frame
skip | Skip to the page | 跳到内容
pages | Pages | 页面
devices | Devices | 设备
timeline | Timeline | 时间线
refusals | Refusals | 拒绝
verdicts | Verdicts | 判定
suites | Suites | 测试套件
control | Control | 控制
clock | The clock that devices live by | 设备所依据的时钟
frozen | frozen | 已冻结
settings | Settings | 设置
api | The API | API 文档
keys | Keys | 快捷键
close | Close | 关闭

key
filter | to the filter | 转到筛选
next | next row | 下一行
previous | previous row | 上一行
open | open the row | 打开该行
close | close what is open | 关闭详情
page | to a page | 切换页面
pause | pause, go on | 暂停 / 继续
help | these keys | 显示快捷键

setting
language | Language | 语言
language.en | English | English
language.zh | 中文 | 中文
times | Times | 时间
times.local | local time | 本地时间
times.utc | UTC | UTC
times.ago | how long ago | 多久以前
theme | Colours | 配色
theme.system | as the system | 跟随系统
theme.light | light | 浅色
theme.dark | dark | 深色

client
away | The server does not answer | 服务器没有响应

token
title | This server wants a token | 此服务器需要令牌
about | It is the one that skymock was started with (--admin-token). It is kept until this tab closes. | 即启动 skymock 时的 --admin-token。仅保存到此标签页关闭为止。
wrong | That was not the token. | 令牌不正确。
label | Token | 令牌
go | Go on | 继续

time
ms | {0} ms | {0} 毫秒
s | {0} s | {0} 秒
min | {0} min {1} s | {0} 分 {1} 秒
h | {0} h {1} min | {0} 小时 {1} 分
d | {0} d | {0} 天
ago | {0} ago | {0}前

verdict
passed | passed | 通过
warned | warned | 警告
failed | failed | 失败
not exercised | not exercised | 未触及

devices
filter | Name contains | 名称包含
online | only online | 仅在线
none | No device yet. Seed some with --fixtures, or make a temporary one on the page Control. | 没有设备。请用 --fixtures 载入，或在“控制”页新建。
unlike | No device is like that. | 没有符合条件的设备。
never | never seen | 从未出现
keepalive | {0} of {1} s | {0} / {1} 秒
on | online | 在线
off | offline | 离线
off.disabled | disabled | 已禁用
stranger | not registered | 未注册

timeline
event | Event | 事件
text | Text in the event | 事件中的文本
device | Device | 设备
topic | Topic filter | 主题过滤器
rule | Rule | 规则
connection | Connection | 连接
types | Types: {0} | 类型：{0}
refused | refused | 拒绝
more | More filters | 更多筛选
clear | No filters | 清除筛选
order | Order | 顺序
newest | newest first | 最新在前
oldest | newest last | 最新在后
pause | Pause | 暂停
go | Go on ({0} new) | 继续（{0} 条新事件）
skipped | {0} events not shown: they came too fast | {0} 条事件未显示：到达过快
between | Events not shown | 未显示的事件
loading | Loading … | 正在载入…
first | Nothing came before | 没有更早的事件
lost | {0} older events are lost: the journal had no room | 更早的 {0} 条事件已丢失：日志空间不足
full | No more than {0} rows: filter to see older events | 最多 {0} 行：更早的事件请用筛选
none | No events yet: connect a device | 还没有事件：请连接设备
nothing | No event passes the filters | 没有符合筛选的事件
hidden | The filters hide this event in the list | 该事件被筛选隐藏
gone | There is no event {0}: it is lost, or was never recorded | 没有事件 {0}：已丢失或从未记录

event
up | from the device | 设备上行
down | to the device | 下行至设备
inside | inside the server | 服务器内部
cause | caused by | 起因
effect | led to | 引起
answer | answered by | 应答
connect | connection begun by | 连接始于
copy | Copy | 复制
copyJson | Copy as JSON | 复制为 JSON
copied | Copied | 已复制
payload | Payload | 载荷
text | Text | 文本
bytes | Bytes | 字节
all | Show all ({0}) | 显示全部（{0}）
fields | Fields | 字段

refusals
why | Why it was refused | 拒绝原因
none | Nothing was refused. | 没有任何请求被拒绝。
good | Credentials that would work | 可用的登录凭据
stranger | No such device is registered. | 该设备未注册。
answer | What the cloud did: | 云端的处理：
similar | Registered under a similar name: | 已注册的相近名称：
source | Source: | 出处：

explain
text | Text that was signed | 签名原文
sent | sent | 发送
due | due | 应为
sentOnly | sent only | 仅发送
dueOnly | due only | 仅应有
same | the text is right | 原文正确
prefix | The right signature begins with | 正确的签名开头为
change | What to change: | 如何修改：
bytes | Bytes that were sent | 发送的字节
clientId | Client id | 客户端 ID (clientId)
username | User name | 用户名 (username)
identity | PSK identity | PSK 标识

verdicts
run | Since when | 范围
chapter | since the last reset | 自上次重置
whole | the whole run | 整个运行
product | Product | 产品
products | all products | 全部产品
all | all rules | 全部规则
save | Download the report: {0} | 下载报告：{0}
none | Nobody has done anything yet. | 尚无设备活动。
nothing | No name contains this. | 没有匹配的名称。
clean | Nobody broke a rule. Seen: {0}. | 没有违反规则的设备。设备数：{0}。
some | {0} of {1}, the worst first | 显示 {0} / {1}，最差的在前
lost | There was no room for {0} strangers more. | 另有 {0} 个未注册者未能保留。
rule | Rule | 规则
broke | broken by {0} | {0} 个违反
expected | Expected: {0}, {1}: {2} times, came {3} | 预期：{0}，{1}：{2} 次，已出现 {3} 次
hint | What to do:  | 建议：
error | error | 错误
warning | warning | 警告
info | info | 提示
count | Evidence, of {0} times: | 共 {0} 次，证据：
events | all | 全部
profile | Profile | 行为概况

suites
start | Put devices to the test | 测试设备
cases | Only these cases (none: all) | 仅这些用例（不选则全部）
own | A suite of your own, as JSON | 自定义套件（JSON）
file | Its file | 套件文件
go | Start | 开始
about | A device must be running and reconnect by itself, or be started by skymock as the COMMAND of this line: | 设备须已运行并能自行重连；否则由 skymock 以此命令行中的 COMMAND 启动：
need | Choose one at least | 请至少选择一项
runs | Runs | 运行记录
run | Run {0} | 运行 {0}
all | All runs | 全部运行
running | running | 运行中
waiting | waiting | 等待中
stopped | stopped | 已停止
left | left out | 不适用
stop | Stop | 停止
forget | Forget | 删除
download | JSON | JSON
of | {0} of {1} | {0} / {1}
runner | It begins when the skymock that ordered it does | 等待发起它的 skymock 开始执行
gone | This run is there no more. | 此运行已不存在。
list | Cases | 用例列表
case | Case | 用例
source | Source | 依据
step | step {0}: | 第 {0} 步：
decided | At | 步骤
events | Events | 事件
notes | Notes | 备注
since | timeline since this case | 自该用例起的时间线

control
clock | Clock | 时钟
device | Device | 设备
message | Message | 消息
command | Command | 命令
shadow | Shadow | 影子
new | New temporary device | 新建临时设备
faults | Faults | 故障注入
reset | Reset | 重置
snapshots | Snapshots | 快照
done | {0}: done | {0}：完成
more | More | 更多
yes | Do it | 执行
no | Leave it | 取消
all | everything | 全部
freeze | Freeze | 冻结
resume | Resume | 恢复
1s | +1 s | +1 秒
1min | +1 min | +1 分
1h | +1 h | +1 小时
1d | +1 d | +1 天
keepalive | +keepalive × 1.5 | +保活 × 1.5
advance | Advance | 快进
set | Set | 设置
disconnect | Disconnect | 断开
twin | A twin takes over | 同名设备抢占
enable | Enable | 启用
disable | Disable | 禁用
delete | Delete | 删除
properties | Properties | 属性
credentials | Credentials | 凭证
send | Send | 发送
read | Read | 读取
change | Change | 更新
make | Make | 新建
sure | Back to the beginning: {0}. Connections, sessions, shadows, values, faults and temporary devices go.  | 恢复到初始状态：{0}。其连接、会话、影子、属性、故障和临时设备都将清除。
forgotten | Events and verdicts, too. | 事件和判定也将清除。
reload | Reload the fixtures | 重新载入初始数据
take | Take | 创建
restore | Restore | 还原
restored | What changed since snapshot {0} goes: devices, sessions, shadows, values, faults. | 快照 {0} 之后设备、会话、影子、属性和故障的变化都将丢失。
gone | {0} goes, with all that is kept of it. | 将删除 {0} 及其数据。
begin | Begin | 注入
end | End | 结束
end.all | End all | 全部结束

api
required | required | 必填
parameters | Parameters | 参数
body | Body | 请求体
answers | Answers | 响应

snippets
zero | The key has a zero byte: no command line takes that. | 密钥含零字节，命令行无法使用。
`;

const texts = new Map();
let part = '';
for (const line of TABLE.split('\n')) {
    const [key, ...pair] = line.split(' | ');
    if (pair.length) texts.set(part + key, pair);
    else if (key) part = `${key}.`;
}

/* The text of a key in the reader's language. A key that is in no table shows itself. */
export function t(key, ...values) {
    const pair = texts.get(key);
    if (!pair) return key;
    return pair[settings.language === 'zh' ? 1 : 0].replace(/\{(\d)\}/g, (_, n) => values[n] ?? '');
}
